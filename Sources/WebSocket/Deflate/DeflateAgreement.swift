// The negotiation of permessage-deflate on the server's side (RFC 7692, 5.1 and 7.1). The server tries the client's
// offers in order, skips those that are invalid or that it cannot serve, and answers the first that it can. Without any,
// the connection opens without compression.
// Read next: Compression.swift.

/// The operator's settings for compression: how the server compresses, and how much memory it spends on a connection that
/// asks for it.
public struct DeflatePolicy: Equatable, Sendable {
    /// The level of zlib, 1 (fast) to 9 (small).
    public var level = 3
    /// Messages of fewer bytes are not compressed.
    public var threshold = 1 << 10
    /// The base-2 logarithm of the largest LZ77 window, 9 to 15.
    public var windowBits = 15
    /// Whether the server's messages may refer to earlier ones, which costs a compressor for each connection.
    public var serverContextTakeover = false
    /// Whether clients' messages may refer to earlier ones, which costs a window for each connection.
    public var clientContextTakeover = false

    public init() {}
}

/// The parameters of permessage-deflate on one connection (RFC 7692, 7.1). They take four bytes.
public struct DeflateParameters: Equatable, Sendable {
    /// The base-2 logarithm of the server's LZ77 window, 9 to 15.
    public let serverWindowBits: UInt8
    /// The base-2 logarithm of the client's LZ77 window, 8 to 15.
    public let clientWindowBits: UInt8
    /// Whether the server's messages may refer to earlier ones.
    public let serverTakesOver: Bool
    /// Whether the client's messages may refer to earlier ones.
    public let clientTakesOver: Bool

    /// Whether the connection needs its own window in at least one direction.
    public var takesOver: Bool { serverTakesOver || clientTakesOver }
}

/// An offer of permessage-deflate that the server has accepted.
public struct DeflateAgreement: Equatable, Sendable {
    /// The extension's registered name.
    public static let extensionName = "permessage-deflate"

    public let parameters: DeflateParameters
    /// The value of Sec-WebSocket-Extensions in the response.
    public let response: String

    /// The answer to the first offer that the policy can serve; nil when the connection stays without compression.
    public static func negotiate(_ offers: [ExtensionOffer], _ policy: DeflatePolicy) -> DeflateAgreement? {
        for offer in offers where offer.name == extensionName {
            if let offered = OfferedParameters(offer.parameters) { return offered.granted(by: policy) }
        }
        return nil
    }
}

/// The parameters of one valid offer.
private struct OfferedParameters {
    private var serverNoTakeover = false
    private var clientNoTakeover = false
    private var serverBits: UInt8?
    /// 15 when the client leaves the choice to the server.
    private var clientBits: UInt8?

    /// Nil when a parameter is unknown, appears twice or has an invalid value (RFC 7692, 7.1), and when the client asks the
    /// server for a window of 256 bytes, which zlib's raw DEFLATE does not support.
    init?(_ parameters: [ExtensionOffer.Parameter]) {
        for parameter in parameters {
            switch (parameter.name, parameter.value) {
            case ("server_no_context_takeover", nil) where !serverNoTakeover:
                serverNoTakeover = true
            case ("client_no_context_takeover", nil) where !clientNoTakeover:
                clientNoTakeover = true
            case ("server_max_window_bits", let value?) where serverBits == nil:
                guard let bits = Self.windowBits(value), bits >= 9 else { return nil }
                serverBits = bits
            case ("client_max_window_bits", nil) where clientBits == nil:
                clientBits = 15
            case ("client_max_window_bits", let value?) where clientBits == nil:
                guard let bits = Self.windowBits(value) else { return nil }
                clientBits = bits
            default:
                return nil
            }
        }
    }

    /// A number from 8 to 15 in decimal digits without leading zeros (RFC 7692, 7.1.2).
    private static func windowBits(_ text: String) -> UInt8? {
        guard let bits = UInt8(text), (8...15).contains(bits), text == "\(bits)" else { return nil }
        return bits
    }

    /// Limits the client's window only if the client offers `client_max_window_bits`.
    func granted(by policy: DeflatePolicy) -> DeflateAgreement {
        let ours = UInt8(policy.windowBits)
        let parameters = DeflateParameters(
            serverWindowBits: min(serverBits ?? 15, ours),
            clientWindowBits: clientBits.map { min($0, ours) } ?? 15,
            serverTakesOver: policy.serverContextTakeover && !serverNoTakeover,
            clientTakesOver: policy.clientContextTakeover && !clientNoTakeover)
        return DeflateAgreement(parameters: parameters, response: response(parameters))
    }

    /// Names the server's window if the client asked for one (7.1.2.1) or if it is not the default of 15 bits.
    private func response(_ parameters: DeflateParameters) -> String {
        var text = DeflateAgreement.extensionName
        if !parameters.serverTakesOver { text += "; server_no_context_takeover" }
        if !parameters.clientTakesOver { text += "; client_no_context_takeover" }
        if serverBits != nil || parameters.serverWindowBits < 15 {
            text += "; server_max_window_bits=\(parameters.serverWindowBits)"
        }
        if parameters.clientWindowBits < 15 { text += "; client_max_window_bits=\(parameters.clientWindowBits)" }
        return text
    }
}

// The negotiation of permessage-deflate, seen from the server (RFC 7692, 5.1 and 7.1): the client's offers are tried in
// its order, one that is invalid or that cannot be served is declined, and the first that can is answered. None is no
// failure: the connection is then plain.

extension DeflateAgreement {
    /// What the offers and the policy have in common; nil when the connection stays plain.
    public static func negotiate(_ offers: [ExtensionOffer], _ policy: DeflatePolicy) -> DeflateAgreement? {
        for offer in offers where offer.name == extensionName {
            if let wish = Wish(offer.parameters) { return wish.granted(by: policy) }
        }
        return nil
    }
}

/// The parameters of one valid offer.
private struct Wish {
    private var serverNoTakeover = false
    private var clientNoTakeover = false
    private var serverBits: UInt8?
    /// 15 when the client leaves the number to the server.
    private var clientBits: UInt8?

    /// Nil when a parameter is unknown, is there twice, or has a value that it must not have (RFC 7692, 7.1); and when
    /// the server is to do with a window of 256 bytes, which zlib's raw DEFLATE cannot.
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

    /// The client's window is limited only when the client has said that it can be.
    func granted(by policy: DeflatePolicy) -> DeflateAgreement {
        let ours = UInt8(policy.windowBits)
        let parameters = DeflateParameters(
            serverWindowBits: min(serverBits ?? 15, ours),
            clientWindowBits: clientBits.map { min($0, ours) } ?? 15,
            serverTakesOver: policy.serverContextTakeover && !serverNoTakeover,
            clientTakesOver: policy.clientContextTakeover && !clientNoTakeover)
        return DeflateAgreement(parameters: parameters, response: response(parameters))
    }

    /// Whoever asks for a window of the server's is told which one it is (7.1.2.1); else 15 bits go without saying.
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

// What a client and the server have agreed on at the handshake. Four bytes, so that a connection keeps them without
// noticing.
// Read next: DeflateAgreement+Negotiation.swift, then Compression.swift.

/// The parameters of permessage-deflate on one connection (RFC 7692, 7.1).
public struct DeflateParameters: Equatable, Sendable {
    /// The base-2 logarithm of the server's LZ77 window, 9 to 15.
    public let serverWindowBits: UInt8
    /// The base-2 logarithm of the client's LZ77 window, 8 to 15.
    public let clientWindowBits: UInt8
    /// Whether the server's messages may refer to earlier ones.
    public let serverTakesOver: Bool
    /// Whether the client's messages may refer to earlier ones.
    public let clientTakesOver: Bool

    /// Whether the connection needs a window of its own in one direction at least.
    public var takesOver: Bool { serverTakesOver || clientTakesOver }
}

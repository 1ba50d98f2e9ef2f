// What comes of a negotiation: what both sides keep to, and the words in which the client is told.
// Read next: DeflateAgreement+Negotiation.swift.

/// An offer of permessage-deflate that the server has accepted.
public struct DeflateAgreement: Equatable, Sendable {
    /// The extension's registered name.
    public static let extensionName = "permessage-deflate"

    public let parameters: DeflateParameters
    /// The value of Sec-WebSocket-Extensions in the response.
    public let response: String
}

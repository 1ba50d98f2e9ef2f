// One element of Sec-WebSocket-Extensions: what a client proposes, in the client's words. What the words mean is each
// extension's own affair.
// Allocates: strings, at a handshake that offers something.
// Read next: ExtensionOffer+Parsing.swift.

/// An extension that a client offers, with its parameters (RFC 6455, 9.1).
public struct ExtensionOffer: Equatable, Sendable {
    /// A parameter; its value is a token, without the quotes that it may have come in, and nil where there is none.
    public struct Parameter: Equatable, Sendable {
        public let name: String
        public let value: String?
    }

    public let name: String
    /// In the order in which they came; a name may be there more than once.
    public let parameters: [Parameter]
}

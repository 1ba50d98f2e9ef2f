// What a right request brings along for its answer.

extension Handshake {
    /// A request that may be answered with 101.
    public struct Acceptance: Equatable, Sendable {
        /// The value of Sec-WebSocket-Accept.
        public let accept: String
        /// The subprotocols that the client offers: distinct tokens, the one it likes best first.
        public let subprotocols: [String]
        /// The extensions that the client offers, the one it likes best first.
        public let extensions: [ExtensionOffer]
    }
}

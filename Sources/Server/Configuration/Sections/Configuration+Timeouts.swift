// The `timeouts` section: how long Perigee waits for peers.

extension Configuration {
    /// How long Perigee waits for peers.
    public struct Timeouts: Sendable, Equatable {
        /// From the connection to the complete handshake, 10 ms to 1 h; longer is answered 408.
        public var handshake = Duration.seconds(10)
        /// How long a connection may be used for requests that are not for a WebSocket, 10 ms to 1 h; then it ends.
        public var plain = Duration.seconds(60)
        /// From our close frame to the client's, 10 ms to 1 h; then the connection is cut.
        public var close = Duration.seconds(5)
        /// How long a client may take nothing of what waits for it, 10 ms to 1 h; then the connection is cut.
        public var write = Duration.seconds(30)
        /// From the last close frame of a stop until every connection is closed, 10 ms to 1 h; then what is left is cut.
        public var stop = Duration.seconds(10)

        /// The default of every key.
        public init() {}
    }
}

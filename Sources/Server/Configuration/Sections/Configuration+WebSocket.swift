// The `websocket` section: what one connection may send, hold back and subscribe to.

extension Configuration {
    /// Limits of WebSocket connections.
    public struct WebSocket: Sendable, Equatable {
        /// The largest message a client may send in bytes, 1 B to 1 GiB; a larger one closes with 1009.
        public var maxMessage = 16 << 20
        /// What may wait for a slow client in bytes, 1 KiB to 1 GiB; more closes with 1013.
        public var maxQueue = 1 << 20
        /// Subprotocols that the server speaks; a client gets its first choice among them.
        public var subprotocols: [String] = []
        /// Channels that one connection may subscribe to, 1 to 1,000,000.
        public var maxChannels = 128

        /// The default of every key.
        public init() {}
    }
}

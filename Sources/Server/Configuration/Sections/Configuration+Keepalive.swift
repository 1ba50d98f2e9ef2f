// The `keepalive` section: how Perigee finds out that a client is gone, and what it does about one that says nothing.

extension Configuration {
    /// How clients are asked whether they are still there.
    public struct Keepalive: Sendable, Equatable {
        /// From one ping to the next, 1 s to 1 h; zero for no pings.
        public var pingInterval = Duration.seconds(25)
        /// How long after a ping something must arrive, 100 ms to 1 h; else the connection is closed with 1001.
        public var pongTimeout = Duration.seconds(10)
        /// How long a connection may be without a message either way, 1 s to 24 h; zero for as long as it likes.
        public var idleTimeout = Duration.zero

        /// The default of every key.
        public init() {}
    }
}

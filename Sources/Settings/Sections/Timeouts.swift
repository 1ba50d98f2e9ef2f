// The sections `keepalive`, `timeouts` and `drain`: how long Perigee waits for peers, and how connections end when it stops.

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

extension Configuration.Keepalive {
    static let section = ConfigurationSection("keepalive", "How Perigee finds out that a client is gone.", keys: keys)

    private static let keys = [
        ConfigurationKey(
            "keepalive.pingInterval", \.keepalive.pingInterval, .timeOrNever(.seconds(1) ... .seconds(3600)),
            "From one ping of a connection to the next; 0 for no pings. The pings of all are spread over the interval."),
        ConfigurationKey(
            "keepalive.pongTimeout", \.keepalive.pongTimeout, .time(.milliseconds(100) ... .seconds(3600)),
            "When nothing at all has come for so long after a ping, the connection is closed with 1001."),
        ConfigurationKey(
            "keepalive.idleTimeout", \.keepalive.idleTimeout, .timeOrNever(.seconds(1) ... .seconds(86_400)),
            """
            A connection without a message in either direction for so long is closed with 1001, at most a quarter of the
            time later; 0 for never. Pings and pongs are no messages.
            """),
    ]
}

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

extension Configuration.Timeouts {
    static let section = ConfigurationSection("timeouts", "How long Perigee waits for others.", keys: keys)

    private static let keys = [
        ConfigurationKey(
            "timeouts.handshake", \.timeouts.handshake, .time(.anyTime),
            "From a connection to its complete handshake; longer is answered 408."),
        ConfigurationKey(
            "timeouts.plain", \.timeouts.plain, .time(.anyTime),
            "How long a connection may be used for requests that are not for a WebSocket; then it ends."),
        ConfigurationKey(
            "timeouts.close", \.timeouts.close, .time(.anyTime),
            "From our close frame to the client's; then the connection is cut."),
        ConfigurationKey(
            "timeouts.write", \.timeouts.write, .time(.anyTime),
            "How long a client may take nothing of what waits for it; then the connection is cut."),
        ConfigurationKey(
            "timeouts.stop", \.timeouts.stop, .time(.anyTime),
            "From the last close frame of a stop until every connection has closed; then what is left is cut."),
    ]
}

extension Configuration {
    /// How connections end when the server stops or a new process takes over.
    public struct Drain: Sendable, Equatable {
        /// The time over which the close frames are spread, 0 to 1 h.
        public var window = Duration.seconds(5)
        /// Each client is told to come back after a random part of this, 0 to 1 h.
        public var retry = Duration.seconds(5)
        /// How long a new process may take to be ready, 10 ms to 1 h.
        public var handover = Duration.seconds(30)

        /// The default of every key.
        public init() {}
    }
}

extension Configuration.Drain {
    static let section = ConfigurationSection(
        "drain", "How connections end when Perigee stops, or hands over to a new process (SIGUSR2).", keys: keys)

    private static let keys = [
        ConfigurationKey(
            "drain.window", \.drain.window, .time(.zero ... .seconds(3600)),
            """
            The close frames (1012) are spread over this time, so that not all clients come back at once; few
            connections, 10 of each worker in 100ms, take less. 0ms closes all at once. A second signal ends it.
            """),
        ConfigurationKey(
            "drain.retry", \.drain.retry, .time(.zero ... .seconds(3600)),
            "Each client is told to come back after a random part of this time: \"restarting, retry in 2.4 s\"."),
        ConfigurationKey(
            "drain.handover", \.drain.handover, .time(.anyTime),
            "How long a new process may take to be ready; after that it is ended, and the old one goes on."),
    ]
}

// The sections `keepalive`, `timeouts` and `drain`: how long Perigee waits for peers, and how connections end when it stops.

extension Configuration {
    /// Pings, and how long a silent connection stays.
    public struct Keepalive: Sendable, Equatable {
        /// From one ping of a connection to the next, 1 s to 1 h; zero for no pings.
        public var pingInterval = Duration.seconds(25)
        /// From a ping to the next byte from the client, 100 ms to 1 h; after that the connection is closed with 1001.
        public var pongTimeout = Duration.seconds(10)
        /// How long a connection may be without a message in either direction, 1 s to 24 h; zero for any time.
        public var idleTimeout = Duration.zero

        /// The default of every key.
        public init() {}
    }
}

extension Configuration.Keepalive {
    static let section = ConfigurationSection("keepalive", "How Perigee detects that a client is gone.", keys: keys)

    private static let keys = [
        ConfigurationKey(
            "keepalive.pingInterval", \.keepalive.pingInterval, .timeOrNever(.seconds(1) ... .seconds(3600)),
            "From one ping of a connection to the next; 0 for no pings. Pings of all connections are spread over the interval."
        ),
        ConfigurationKey(
            "keepalive.pongTimeout", \.keepalive.pongTimeout, .time(.milliseconds(100) ... .seconds(3600)),
            "From a ping to the next byte from the client; after that the connection is closed with 1001."),
        ConfigurationKey(
            "keepalive.idleTimeout", \.keepalive.idleTimeout, .timeOrNever(.seconds(1) ... .seconds(86_400)),
            """
            How long a connection may be without a message in either direction; then it is closed with 1001, at most a quarter
            of the time later. 0 for any time. Pings and pongs are not messages.
            """),
    ]
}

extension Configuration {
    /// How long Perigee waits for peers.
    public struct Timeouts: Sendable, Equatable {
        /// From the connection to the complete handshake, 10 ms to 1 h; longer is answered 408.
        public var handshake = Duration.seconds(10)
        /// How long a connection may be used for requests other than handshakes, 10 ms to 1 h; then it ends.
        public var plain = Duration.seconds(60)
        /// From our close frame to the client's, 10 ms to 1 h; then the connection is cut.
        public var close = Duration.seconds(5)
        /// How long a client with a queue may take no byte of it, 10 ms to 1 h; then the connection is cut.
        public var write = Duration.seconds(30)
        /// From the last close frame of a stop until every connection is closed, 10 ms to 1 h; then the rest is cut.
        public var stop = Duration.seconds(10)

        /// The default of every key.
        public init() {}
    }
}

extension Configuration.Timeouts {
    static let section = ConfigurationSection("timeouts", "How long Perigee waits for peers.", keys: keys)

    private static let keys = [
        ConfigurationKey(
            "timeouts.handshake", \.timeouts.handshake, .time(.anyTime),
            "From a connection to its complete handshake; longer is answered 408."),
        ConfigurationKey(
            "timeouts.plain", \.timeouts.plain, .time(.anyTime),
            "How long a connection may be used for requests other than handshakes; then it ends."),
        ConfigurationKey(
            "timeouts.close", \.timeouts.close, .time(.anyTime),
            "From our close frame to the client's; then the connection is cut."),
        ConfigurationKey(
            "timeouts.write", \.timeouts.write, .time(.anyTime),
            "How long a client with a queue may take no byte of it; then the connection is cut."),
        ConfigurationKey(
            "timeouts.stop", \.timeouts.stop, .time(.anyTime),
            "From the last close frame of a stop until every connection has closed; then the rest is cut."),
    ]
}

extension Configuration {
    /// How connections end when the server stops or a new process takes over.
    public struct Drain: Sendable, Equatable {
        /// The time over which the close frames are spread, 0 to 1 h.
        public var window = Duration.seconds(5)
        /// The longest time after which a client is told to reconnect, 0 to 1 h; each gets a random part of it.
        public var retry = Duration.seconds(5)
        /// How long a new process may take until it is ready, 10 ms to 1 h.
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
            The close frames (1012) are spread over this time, so that clients do not all reconnect at once. Few connections
            (10 of each worker in 100 ms) take less. 0ms closes all at once. A second signal ends the wait.
            """),
        ConfigurationKey(
            "drain.retry", \.drain.retry, .time(.zero ... .seconds(3600)),
            "Each client is told to reconnect after a random part of this time: \"restarting, retry in 2.4 s\"."),
        ConfigurationKey(
            "drain.handover", \.drain.handover, .time(.anyTime),
            "How long a new process may take until it is ready; after that it is ended, and the old one goes on."),
    ]
}

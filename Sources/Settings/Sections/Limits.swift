// The sections `limits` and `http`: the number of clients, the rates and sizes of their input, and the head of a request.

import WebSocket

extension Configuration {
    /// The number of clients, and the rates and sizes of their input.
    public struct Limits: Sendable, Equatable {
        /// Clients' connections in all, 1 to 1,000,000,000; one more is answered 503.
        public var connections = 1_000_000
        /// Connections of one IPv4 address or IPv6 /64 network; one more is answered 429. 0 for any number.
        public var connectionsPerIP = 0
        /// Connections of one user; one more is closed with 1008 when it is identified. 0 for any number.
        public var connectionsPerUser = 0
        /// New connections a second over all workers, as many at once; more are answered 503. 0 for any number.
        public var handshakesPerSecond = 0
        /// Messages, pings and pongs a second from one connection; 0 for any number.
        public var messagesPerSecond = 0
        /// Bytes a second from one connection, with the frames' headers; 0 for any number.
        public var bytesPerSecond = 0
        /// The silence that a client may make up for at once, 1 s to 1 min: a rate times this is the size of a bucket.
        public var burst = Duration.seconds(2)
        /// The reaction to a client that exceeds its rate.
        public var ratePolicy = RatePolicy.delay
        /// Frames of one message, 1 to 1,000,000,000; more close the connection with 1008.
        public var fragments = 100_000
        /// Bytes that are still read from a connection that is to be closed, 4 KiB to 1 GiB, and one read more.
        public var closeInput = 16 << 20
        /// Subprotocols, and extensions with their parameters, that a handshake may offer, 1 to 10,000; more are answered 400.
        public var offers = Handshake.mostOffers
        /// Requests other than handshakes on one connection, 1 to 1,000,000,000; it ends with the last answer.
        public var plainRequests = 100
        /// The share of the machine's memory, or of the control group's, that the process may take before new
        /// connections are answered 503, 1 to 100 per cent; 0 for no limit.
        public var memory = 90

        /// The default of every key.
        public init() {}

        /// The reaction to a client that exceeds its rate.
        public enum RatePolicy: String, Sendable, CaseIterable {
            /// It is read more slowly; TCP slows it down.
            case delay
            /// It is closed with 1008.
            case close
        }
    }
}

extension Configuration.Limits {
    static let section = ConfigurationSection(
        "limits", "How many clients there may be, and how much each may send.", keys: keys)

    private static let most = 1_000_000_000

    private static let keys = [
        ConfigurationKey(
            "limits.connections", \.limits.connections, .number(1...most),
            "Connections in all, those in the handshake included; one more is answered 503 with Retry-After."),
        ConfigurationKey(
            "limits.connectionsPerIP", \.limits.connectionsPerIP, .number(0...most),
            """
            WebSockets of one IPv4 address or one IPv6 /64 network; one more is answered 429. A connection that is kept for
            plain requests counts, too; one more ends after its answer. 0 for any number.
            """),
        ConfigurationKey(
            "limits.connectionsPerUser", \.limits.connectionsPerUser, .number(0...most),
            "Connections of one user (conn:identify); one more is closed with 1008. 0 for any number."),
        ConfigurationKey(
            "limits.handshakesPerSecond", \.limits.handshakesPerSecond, .number(0...1_000_000),
            "New connections a second, and as many at once; more are answered 503 with Retry-After. 0 for any number."),
        ConfigurationKey(
            "limits.messagesPerSecond", \.limits.messagesPerSecond, .number(0...1_000_000),
            "Messages a second from one connection, pings and pongs included; 0 for any number."),
        ConfigurationKey(
            "limits.bytesPerSecond", \.limits.bytesPerSecond, .size(0...(1 << 40)),
            "Bytes a second from one connection; 0 for any number."),
        ConfigurationKey(
            "limits.burst", \.limits.burst, .time(.seconds(1) ... .seconds(60)),
            "The silence that a connection may make up for at once: its rates times this is the largest burst."),
        ConfigurationKey(
            "limits.ratePolicy", \.limits.ratePolicy, .choice,
            "The reaction to a client that sends more: delay reads it more slowly, close closes it with 1008."),
        ConfigurationKey(
            "limits.fragments", \.limits.fragments, .number(1...most),
            "Frames of one message; more close the connection with 1008."),
        ConfigurationKey(
            "limits.closeInput", \.limits.closeInput, .size((4 << 10)...(1 << 30)),
            """
            Bytes that are still read from a connection that is to be closed, to find the client's close frame. Beyond them
            the connection is not read, and cut after timeouts.close.
            """),
        ConfigurationKey(
            "limits.offers", \.limits.offers, .number(1...10_000),
            "Subprotocols, and extensions with their parameters, that a handshake may offer; more are answered 400."
        ),
        ConfigurationKey(
            "limits.plainRequests", \.limits.plainRequests, .number(1...most),
            "Requests other than handshakes on one connection; it ends with the answer to the last one."
        ),
        ConfigurationKey(
            "limits.memory", \.limits.memory, .number(0...100),
            """
            Per cent of the memory of the machine, or of the control group, that Perigee may take. Above it new connections
            are answered 503; existing ones go on. 0 for no limit.
            """),
    ]
}

extension Configuration {
    /// Limits of HTTP requests.
    public struct HTTP: Sendable, Equatable {
        /// The largest request head in bytes, 1 KiB to 1 MiB; a larger one is answered 431.
        public var maxHead = 16 << 10
        /// Header fields in a request, 1 to 10,000; more are answered 431.
        public var maxFields = 100

        /// The default of every key.
        public init() {}
    }
}

extension Configuration.HTTP {
    static let section = ConfigurationSection(
        "http", "Limits of the head of an HTTP request, on both ports.", keys: keys)

    private static let keys = [
        ConfigurationKey(
            "http.maxHead", \.http.maxHead, .size((1 << 10)...(1 << 20)),
            "The request line and all fields together; more is answered 431."),
        ConfigurationKey(
            "http.maxFields", \.http.maxFields, .number(1...10_000), "Fields in a request; more are answered 431."),
    ]
}

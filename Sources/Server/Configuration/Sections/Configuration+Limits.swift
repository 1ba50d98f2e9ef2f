// The `limits` section: how many clients there may be, and how much each of them may send.

internal import WebSocket

extension Configuration {
    /// How many clients there may be, and how much each may send.
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
        /// How long a client may have been silent to catch up at once, 1 s to 1 min: a rate times this is a bucket's size.
        public var burst = Duration.seconds(2)
        /// What becomes of a client that sends more than its rate.
        public var ratePolicy = RatePolicy.delay
        /// Frames of one message, 1 to 1,000,000,000; more close the connection with 1008.
        public var fragments = 100_000
        /// Bytes that are still read from a connection after its close was decided, 4 KiB to 1 GiB, and one read more.
        public var closeInput = 16 << 20
        /// Subprotocols, and extensions with their parameters, that a handshake may offer, 1 to 10,000; more are answered 400.
        public var offers = Handshake.mostOffers
        /// Requests that are not for a WebSocket on one connection, 1 to 1,000,000,000; it ends with the last answer.
        public var plainRequests = 100
        /// The share of the machine's memory, or of the control group's, that the process may take before new
        /// connections are answered 503, 1 to 100 per cent; 0 for no limit.
        public var memory = 90

        /// The default of every key.
        public init() {}

        /// What becomes of a client that sends more than its rate.
        public enum RatePolicy: String, Sendable, CaseIterable {
            /// It is read more slowly; TCP slows it down.
            case delay
            /// It is closed with 1008.
            case close
        }
    }
}

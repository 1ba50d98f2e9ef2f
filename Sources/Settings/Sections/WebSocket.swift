// The `websocket` section: what one connection may send, hold back and subscribe to.

public import Proxies
public import PubSub

extension Configuration {
    /// Limits of WebSocket connections.
    public struct WebSocket: Sendable, Equatable {
        /// The largest message a client may send in bytes, 1 B to 1 GiB; a larger one closes with 1009.
        public var maxMessage = 16 << 20
        /// What may wait for a slow client in bytes, 1 KiB to 1 GiB.
        public var maxQueue = 1 << 20
        /// What a message for this one client does when the queue is full.
        public var onFullQueue = FullQueuePolicy.close
        /// What a channel's publications do when the queue is full, by patterns of channel names.
        public var slowConsumers = SlowConsumerRules()
        /// Subprotocols that the server speaks; a client gets its first choice among them.
        public var subprotocols: [String] = []
        /// Which web pages may connect; none stands for those of the server's own host.
        public var origins: [OriginRule] = []
        /// Channels that one connection may subscribe to, 1 to 1,000,000.
        public var maxChannels = 128

        /// The default of every key.
        public init() {}

        /// What a message for one client does when its queue is full.
        public enum FullQueuePolicy: String, Sendable, CaseIterable {
            /// The connection is closed with 1013.
            case close
            /// The message is not taken, and its sender is told: `false, "slow"`, or `dropped`.
            case refuse
        }
    }
}

extension Configuration.WebSocket {
    static let section = ConfigurationSection("websocket", "Limits of each client's connection.", keys: keys)

    private static let keys = [
        ConfigurationKey(
            "websocket.maxMessage", \.websocket.maxMessage, .size(1...(1 << 30)),
            "The largest message a client may send; a larger one closes its connection with 1009."),
        ConfigurationKey(
            "websocket.maxQueue", \.websocket.maxQueue, .size((1 << 10)...(1 << 30)),
            "What may wait for a slow client."),
        ConfigurationKey(
            "websocket.onFullQueue", \.websocket.onFullQueue, .choice,
            """
            What a message for one client (conn:send, a push to a connection or user) does when the queue is full:
            close the connection with 1013, or refuse the message; conn:send then answers false, "slow".
            """),
        ConfigurationKey(
            "websocket.slowConsumers", \.websocket.slowConsumers, .slowConsumers,
            """
            What a channel's publications do when the queue is full, by patterns of channel names; the most exact one
            counts, and where none matches it is close. close: the connection is closed with 1013. drop_oldest: the oldest
            that wait give way. drop_newest: the new one is lost. conflate: only the newest of each channel waits, or of
            each key that its publisher gives. In a variable: PATTERN=POLICY,PATTERN=POLICY.
              slowConsumers:
                ticker.*: conflate
                "*": close
            """),
        ConfigurationKey(
            "websocket.subprotocols", \.websocket.subprotocols, .tokens,
            "Subprotocols that the server speaks; a client gets its first choice among them. In a variable: NAME,NAME."),
        ConfigurationKey(
            "websocket.origins", \.websocket.origins, .origins,
            """
            Which web pages may connect, by the Origin that browsers send; others are answered 403, programs send none and
            may. Empty: same-origin, pages of the host and port that the request is for (its Host; the schemes are not
            compared, because a proxy may have ended TLS). Else only what is listed: add same-origin to keep it.
            """),
        ConfigurationKey(
            "websocket.maxChannels", \.websocket.maxChannels, .number(1...1_000_000),
            "Channels that one connection may subscribe to."),
    ]
}

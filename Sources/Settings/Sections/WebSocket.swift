// The `websocket` section: limits of one connection's messages, queue and subscriptions.

public import Proxies
public import PubSub

extension Configuration {
    /// Limits of WebSocket connections.
    public struct WebSocket: Sendable, Equatable {
        /// The largest message of a client in bytes, 1 B to 1 GiB; a larger one closes its connection with 1009.
        public var maxMessage = 16 << 20
        /// Bytes that may wait for a slow client, 1 KiB to 1 GiB.
        public var maxQueue = 1 << 20
        /// The fate of a message for one client when the client's queue is full.
        public var onFullQueue = FullQueuePolicy.close
        /// The fate of a publication when a subscriber's queue is full, by patterns of channel names; only without `channels`.
        public var slowConsumers = ChannelRules()
        /// Subprotocols that the server speaks; a client gets its first choice among them.
        public var subprotocols: [String] = []
        /// Web pages that may connect; empty: those of the server's own host.
        public var origins: [OriginRule] = []
        /// Channels that one connection may subscribe to, 1 to 1,000,000.
        public var maxChannels = 128

        /// The default of every key.
        public init() {}

        /// The fate of a message for one client when the client's queue is full.
        public enum FullQueuePolicy: String, Sendable, CaseIterable {
            /// The connection is closed with 1013.
            case close
            /// The message is dropped, and its sender is told: `false, "slow"`, or `dropped`.
            case refuse
        }
    }
}

extension Configuration.WebSocket {
    static let section = ConfigurationSection("websocket", "Limits of each client's connection.", keys: keys)

    private static let keys = [
        ConfigurationKey(
            "websocket.maxMessage", \.websocket.maxMessage, .size(1...(1 << 30)),
            "The largest message of a client; a larger one closes its connection with 1009."),
        ConfigurationKey(
            "websocket.maxQueue", \.websocket.maxQueue, .size((1 << 10)...(1 << 30)),
            "Bytes that may wait for a slow client."),
        ConfigurationKey(
            "websocket.onFullQueue", \.websocket.onFullQueue, .choice,
            """
            A message for one client (conn:send, a push to a connection or user) when the client's queue is full: close the
            connection with 1013, or refuse the message; conn:send then returns false, "slow".
            """),
        ConfigurationKey(
            "websocket.slowConsumers", \.websocket.slowConsumers, .slowConsumers,
            """
            The policy of channels for slow subscribers, by patterns of channel names: the short form of slow in channels, and
            only for a configuration without channels. In a variable: PATTERN=POLICY,PATTERN=POLICY.
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
            Web pages that may connect, by the Origin that browsers send; other pages are answered 403. Programs send no
            Origin and may connect. Empty: same-origin, pages of the host and port that the request is for (its Host; schemes
            are not compared, because a proxy may have ended TLS). Otherwise only the list: add same-origin to keep it.
            """),
        ConfigurationKey(
            "websocket.maxChannels", \.websocket.maxChannels, .number(1...1_000_000),
            "Channels that one connection may subscribe to."),
    ]
}

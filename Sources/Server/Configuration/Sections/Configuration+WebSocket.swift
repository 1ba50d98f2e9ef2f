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

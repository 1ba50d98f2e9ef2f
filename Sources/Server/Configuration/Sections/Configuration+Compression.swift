// The `compression` section: which messages are compressed, how hard, and what a connection may cost for it.

public import WebSocket

extension Configuration {
    /// Compression of messages with permessage-deflate (RFC 7692).
    public struct Compression: Sendable, Equatable {
        /// Whether it is agreed on with clients that offer it.
        public var enabled = true
        /// Messages to clients that have fewer bytes are sent as they are, 0 B to 1 GiB.
        public var threshold = 1 << 10
        /// How hard to compress, 1 (fast) to 9 (small).
        public var level = 3
        /// Whether messages may refer to earlier ones, which costs each connection its own windows.
        public var contextTakeover = false
        /// The base-2 logarithm of the window in bytes, 9 to 15.
        public var windowBits = 15

        /// The default of every key.
        public init() {}

        /// What the handshake grants; nil when nothing is compressed.
        public var policy: DeflatePolicy? {
            guard enabled else { return nil }
            var policy = DeflatePolicy()
            policy.threshold = threshold
            policy.level = level
            policy.windowBits = windowBits
            policy.serverContextTakeover = contextTakeover
            policy.clientContextTakeover = contextTakeover
            return policy
        }
    }
}

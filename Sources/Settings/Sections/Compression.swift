// The `compression` section: which messages are compressed, how hard, and what that may cost a connection.

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

extension Configuration.Compression {
    static let section = ConfigurationSection(
        "compression", "permessage-deflate (RFC 7692), for clients that offer it, as browsers do.", keys: keys)

    private static let keys = [
        ConfigurationKey("compression.enabled", \.compression.enabled, .flag, "Whether messages are compressed."),
        ConfigurationKey(
            "compression.threshold", \.compression.threshold, .size(0...(1 << 30)),
            "Messages to clients below this size are sent as they are, and larger ones where that is smaller."),
        ConfigurationKey(
            "compression.level", \.compression.level, .number(1...9), "How hard to compress: 1 is fast, 9 is small."),
        ConfigurationKey(
            "compression.contextTakeover", \.compression.contextTakeover, .flag,
            """
            Whether a message may refer to earlier ones: smaller, but with up to 300 KiB for each connection that uses
            it, and a broadcast is then compressed for each of them anew.
            """),
        ConfigurationKey(
            "compression.windowBits", \.compression.windowBits, .number(9...15),
            "The window that messages are compressed with has 2 to this power bytes."),
    ]
}

// The `compression` section: the messages that are compressed, and the memory of a connection for it.

public import WebSocket

extension Configuration {
    /// Compression of messages with permessage-deflate (RFC 7692).
    public struct Compression: Sendable, Equatable {
        /// Whether the server accepts a client's offer of it.
        public var enabled = true
        /// Messages to clients with fewer bytes are not compressed, 0 B to 1 GiB.
        public var threshold = 1 << 10
        /// How hard to compress, 1 (fast) to 9 (small).
        public var level = 3
        /// Whether a message may refer to earlier ones; each connection then has windows of its own.
        public var contextTakeover = false
        /// The base-2 logarithm of the window in bytes, 9 to 15.
        public var windowBits = 15

        /// The default of every key.
        public init() {}

        /// The parameters that the handshake grants; nil when compression is off.
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
            "Messages to clients below this size are not compressed, nor larger ones that would grow."),
        ConfigurationKey(
            "compression.level", \.compression.level, .number(1...9), "How hard to compress: 1 is fast, 9 is small."),
        ConfigurationKey(
            "compression.contextTakeover", \.compression.contextTakeover, .flag,
            """
            Whether a message may refer to earlier ones: messages are smaller, but each connection that uses it takes up to
            300 KiB, and a broadcast is compressed anew for each of them.
            """),
        ConfigurationKey(
            "compression.windowBits", \.compression.windowBits, .number(9...15),
            "The base-2 logarithm of the compression window in bytes."),
    ]
}

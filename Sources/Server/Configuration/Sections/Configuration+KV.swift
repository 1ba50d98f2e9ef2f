// The `kv` section: the store that scripts on all workers share.

extension Configuration {
    /// The key-value store that all scripts share.
    public struct KV: Sendable, Equatable {
        /// What the store may hold in bytes, keys included, 64 KiB to 64 GiB.
        public var memory = 64 << 20

        /// The default of every key.
        public init() {}
    }
}

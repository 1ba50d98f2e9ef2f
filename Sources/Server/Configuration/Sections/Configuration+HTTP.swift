// The `http` section: what the head of a request may be, on both ports.

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

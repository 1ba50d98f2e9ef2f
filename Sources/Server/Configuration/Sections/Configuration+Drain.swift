// The `drain` section: how connections end when the server does, or when a new process takes its place.

extension Configuration {
    /// How connections end when the server stops or a new process takes over.
    public struct Drain: Sendable, Equatable {
        /// The time over which the close frames are spread, 0 to 1 h.
        public var window = Duration.seconds(5)
        /// Each client is told to come back after a random part of this, 0 to 1 h.
        public var retry = Duration.seconds(5)
        /// How long a new process may take to be ready, 10 ms to 1 h.
        public var handover = Duration.seconds(30)

        /// The default of every key.
        public init() {}
    }
}

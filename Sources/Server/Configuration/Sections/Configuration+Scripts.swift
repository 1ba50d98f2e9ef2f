// The `scripts` section: where the Lua scripts are, which paths they serve, and what they may cost.

extension Configuration {
    /// The Lua scripts.
    public struct Scripts: Sendable, Equatable {
        /// The folder of the scripts, relative to the working folder.
        public var folder = "Scripts"
        /// Whether a saved script is loaded at once.
        public var watch = true
        /// How long the folder must be quiet before a change is loaded, 1 ms to 1 min.
        public var debounce = Duration.milliseconds(100)
        /// How long loading the scripts may take, 10 ms to 1 h; longer fails the load.
        public var loadBudget = Duration.seconds(1)
        /// Lua's memory in each worker in bytes, 1 MiB to 64 GiB.
        public var memory = 64 << 20
        /// The largest block of it in bytes, 64 KiB to 64 GiB: one string, one table's storage.
        public var largestBlock = 16 << 20
        /// Coroutines that scripts may have at once in each worker, 1 to 1,000,000.
        public var coroutines = 10_000
        /// What an error in a handler does to the connection.
        public var onError = ErrorPolicy.keep
        /// The script of each path, path → name without `.lua`, `*` for every other path; empty: by file name.
        public var routes: [String: String] = [:]
        /// What scripts see as `config`.
        public var settings = ScriptSettings()

        /// The default of every key.
        public init() {}

        /// What an error in a handler does to the connection.
        public enum ErrorPolicy: String, Sendable, CaseIterable {
            /// The connection stays open.
            case keep
            /// The connection is closed with 1011.
            case close
        }
    }
}

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
        /// How long a worker may take to come to each step of a reload, 10 ms to 1 h; longer gives the reload up.
        public var reloadTimeout = Duration.seconds(10)
        /// The CPU time after which a running handler is reported in the log, 10 ms to 1 h.
        public var warning = Duration.milliseconds(10)
        /// The CPU time after which a running handler is killed, from one wait to the next, 10 ms to 1 h.
        public var budget = Duration.milliseconds(50)
        /// The CPU time that scripts have in one turn of a worker's loop before others go on, 1 ms to 1 s.
        public var turnSlice = Duration.milliseconds(10)
        /// How long a handler may take in all, its waits included, 10 ms to 1 h.
        public var eventTimeout = Duration.seconds(30)
        /// The CPU time beyond the budget after which a handler is reported that does not end although it was killed, 100 ms to 1 h.
        public var stuckAfter = Duration.seconds(2)
        /// What is done about such a handler.
        public var onStuck = StuckPolicy.log
        /// Handlers that may wait at once in each worker, 1 to 1 million.
        public var maxWaiting = 10_000
        /// Timers that scripts may have at once in each worker, 1 to 1 million.
        public var maxTimers = 10_000
        /// Functions of `server.spawn` that may wait to be called in each worker, 1 to 1 million.
        public var maxSpawned = 10_000
        /// Lua's memory in each worker in bytes, 1 MiB to 64 GiB.
        public var memory = 64 << 20
        /// How many series each worker's scripts may measure with `metrics`, 0 to 100,000.
        public var metricSeries = 1_000
        /// How many handlers killed within a minute make the server call itself degraded, 0 for any number.
        public var degradedKills = 5
        /// The largest block of it in bytes, 64 KiB to 64 GiB: one string, one table's storage.
        public var largestBlock = 16 << 20
        /// Coroutines that scripts may have at once in each worker, 1 to 1,000,000.
        public var coroutines = 10_000
        /// What an error in a handler does to the connection.
        public var onError = ErrorPolicy.keep
        /// The script of each path, path → name without `.lua`, `*` for every other path; empty: by file name.
        public var routes: [String: String] = [:]
        /// Whether the admin API takes scripts: `PUT /v1/scripts/{name}`.
        public var upload = false
        /// What scripts see as `config`.
        public var settings = ScriptSettings()

        /// The default of every key.
        public init() {}

        /// What is done about a handler that cannot be killed.
        public enum StuckPolicy: String, Sendable, CaseIterable {
            /// It is reported, once.
            case log
            /// It is reported, and the process ends by SIGABRT, so that the service manager starts it anew.
            case abort
        }

        /// What an error in a handler does to the connection.
        public enum ErrorPolicy: String, Sendable, CaseIterable {
            /// The connection stays open.
            case keep
            /// The connection is closed with 1011.
            case close
        }
    }
}

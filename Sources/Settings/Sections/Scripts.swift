// The sections `scripts` and `kv`: the folder of the Lua scripts, the paths that they serve, their limits, and the store that they
// share.

extension Configuration {
    /// The Lua scripts.
    public struct Scripts: Sendable, Equatable {
        /// The folder of the scripts, relative to the working folder.
        public var folder = "Scripts"
        /// Whether a change in the folder is loaded at once.
        public var watch = true
        /// How long the folder must be quiet before a change is loaded, 1 ms to 1 min.
        public var debounce = Duration.milliseconds(100)
        /// How long loading the scripts may take, 10 ms to 1 h; longer fails the load.
        public var loadBudget = Duration.seconds(1)
        /// How long a worker may take to reach each step of a reload, 10 ms to 1 h; after that the reload fails.
        public var reloadTimeout = Duration.seconds(10)
        /// The CPU time of a handler after which the log reports it, 10 ms to 1 h.
        public var warning = Duration.milliseconds(10)
        /// The CPU time of a handler, from one wait to the next, after which it is killed, 10 ms to 1 h.
        public var budget = Duration.milliseconds(50)
        /// The CPU time of scripts in one turn of a worker's loop, 1 ms to 1 s; the rest of their work follows in the next turn.
        public var turnSlice = Duration.milliseconds(10)
        /// How long a handler may take, its waits included, 10 ms to 1 h.
        public var eventTimeout = Duration.seconds(30)
        /// The CPU time beyond the budget after which a killed handler that does not end is stuck, 100 ms to 1 h.
        public var stuckAfter = Duration.seconds(2)
        /// The reaction to a stuck handler.
        public var onStuck = StuckPolicy.log
        /// Handlers that may wait at once in each worker, 1 to 1 million.
        public var maxWaiting = 10_000
        /// Timers that scripts may have at once in each worker, 1 to 1 million.
        public var maxTimers = 10_000
        /// Functions of `server.spawn` that may wait to be called in each worker, 1 to 1 million.
        public var maxSpawned = 10_000
        /// Lua's memory in each worker in bytes, 1 MiB to 64 GiB.
        public var memory = 64 << 20
        /// Series of `metrics` that the scripts of each worker may have, 0 to 100,000.
        public var metricSeries = 1_000
        /// Handlers killed within a minute after which the server is degraded; 0 for never.
        public var degradedKills = 5
        /// The largest block of Lua's memory in bytes, 64 KiB to 64 GiB: one string, the storage of one table.
        public var largestBlock = 16 << 20
        /// Coroutines that scripts may have at once in each worker, 1 to 1,000,000.
        public var coroutines = 10_000
        /// The fate of a connection after an error in its handler.
        public var onError = ErrorPolicy.keep
        /// The script of each path, path → name without `.lua`, `*` for every other path; empty: by file name.
        public var routes: [String: String] = [:]
        /// Whether the admin API takes scripts: `PUT /v1/scripts/{name}`.
        public var upload = false
        /// The table `config` of the scripts.
        public var settings = ScriptSettings()

        /// The default of every key.
        public init() {}

        /// The reaction to a stuck handler, one that was killed and does not end.
        public enum StuckPolicy: String, Sendable, CaseIterable {
            /// The log reports it, once.
            case log
            /// The log reports it, and the process aborts (SIGABRT), so that the service manager restarts it.
            case abort
        }

        /// The fate of a connection after an error in its handler.
        public enum ErrorPolicy: String, Sendable, CaseIterable {
            /// The connection stays open.
            case keep
            /// The connection is closed with 1011.
            case close
        }
    }
}

extension Configuration.Scripts {
    static let section = ConfigurationSection(
        "scripts", "The Lua scripts that decide what the server does.", keys: keys)

    private static let keys = [
        ConfigurationKey("scripts.folder", \.scripts.folder, .folder, "The folder of the scripts."),
        ConfigurationKey(
            "scripts.watch", \.scripts.watch, .flag,
            "Whether a change in the folder is loaded at once. Without it, SIGHUP and the admin API reload."),
        ConfigurationKey(
            "scripts.debounce", \.scripts.debounce, .time(.milliseconds(1) ... .seconds(60)),
            "How long the folder must be quiet before a change is loaded."),
        ConfigurationKey(
            "scripts.loadBudget", \.scripts.loadBudget, .time(.anyTime),
            "How long loading the scripts may take; longer fails the load, and the old ones stay."),
        ConfigurationKey(
            "scripts.reloadTimeout", \.scripts.reloadTimeout, .time(.anyTime),
            """
            How long a worker may take to reach each step of a reload, scripts.loadBudget not counted. After that the
            reload fails, and its answer says what the worker is doing.
            """),
        ConfigurationKey(
            "scripts.warning", \.scripts.warning, .time(.anyTime),
            "The CPU time of a handler after which the log reports it, once a minute for each place."),
        ConfigurationKey(
            "scripts.budget", \.scripts.budget, .time(.anyTime),
            "The CPU time of a handler, from one wait to the next, after which it is killed."),
        ConfigurationKey(
            "scripts.turnSlice", \.scripts.turnSlice, .time(.milliseconds(1) ... .seconds(1)),
            "The CPU time of scripts in one turn of a worker. The rest of their work follows after the other sockets."
        ),
        ConfigurationKey(
            "scripts.eventTimeout", \.scripts.eventTimeout, .time(.milliseconds(10) ... .seconds(3600)),
            "How long a handler may take with all its waits. Then its wait ends with \"timeout\"; its next wait kills it."
        ),
        ConfigurationKey(
            "scripts.maxWaiting", \.scripts.maxWaiting, .number(1...1_000_000),
            "Handlers that may wait at once in each worker. Beyond it, waiting is an error."),
        ConfigurationKey(
            "scripts.maxTimers", \.scripts.maxTimers, .number(1...1_000_000),
            "Timers that scripts may have at once in each worker. Beyond it, starting one is an error."),
        ConfigurationKey(
            "scripts.maxSpawned", \.scripts.maxSpawned, .number(1...1_000_000),
            "Functions of server.spawn that may wait to be called in each worker. Beyond it, server.spawn is an error."),
        ConfigurationKey(
            "scripts.stuckAfter", \.scripts.stuckAfter, .time(.milliseconds(100) ... .seconds(3600)),
            "The CPU time beyond the budget after which a killed handler that does not end is stuck."),
        ConfigurationKey(
            "scripts.onStuck", \.scripts.onStuck, .choice,
            "The reaction to a stuck handler: log it, or abort the process, so that the service manager restarts it."),
        ConfigurationKey(
            "scripts.memory", \.scripts.memory, .size((1 << 20)...(64 << 30)),
            "Lua's memory in each worker. Beyond it an allocation fails, and with it that one event."),
        ConfigurationKey(
            "scripts.metricSeries", \.scripts.metricSeries, .number(0...100_000),
            "Series (name and labels) of metrics that the scripts of each worker may have; more are dropped and counted."
        ),
        ConfigurationKey(
            "scripts.degradedKills", \.scripts.degradedKills, .number(0...1_000_000),
            "Handlers killed within a minute after which /readyz says 'degraded'; 0 for never."),
        ConfigurationKey(
            "scripts.largestBlock", \.scripts.largestBlock, .size((64 << 10)...(64 << 30)),
            "The largest block of Lua's memory, such as one string. The allocation of a larger one fails."),
        ConfigurationKey(
            "scripts.coroutines", \.scripts.coroutines, .number(1...1_000_000),
            "Coroutines that scripts may have at once in each worker, waiting handlers not counted."),
        ConfigurationKey(
            "scripts.onError", \.scripts.onError, .choice,
            "After an error in a handler: keep its connection, or close it with 1011."),
        ConfigurationKey(
            "scripts.routes", \.scripts.routes, .routes,
            """
            The script of each path. Empty: by file name, chat.lua serves /chat and main.lua every other path.
            Otherwise only the paths named here are served; "*" is every other path. In a variable: PATH=SCRIPT,PATH=SCRIPT.
              routes:
                /chat: rooms/chat
                "*": main
            """),
        ConfigurationKey(
            "scripts.upload", \.scripts.upload, .flag,
            """
            Whether the admin API takes scripts: PUT /v1/scripts/NAME writes into the folder. It needs a key with the scope
            manage.
            """),
        ConfigurationKey(
            "scripts.settings", \.scripts.settings, .settings, secret: true,
            """
            Your own settings; scripts see them as config.NAME. In a variable: NAME=VALUE,NAME=VALUE or {NAME: VALUE}.
              settings:
                greeting: Hello
                limits: [10, 100]
            """),
    ]
}

extension Configuration {
    /// The key-value store that all scripts share.
    public struct KV: Sendable, Equatable {
        /// The size of the store in bytes, keys included, 64 KiB to 64 GiB.
        public var memory = 64 << 20

        /// The default of every key.
        public init() {}
    }
}

extension Configuration.KV {
    static let section = ConfigurationSection(
        "kv", "The key-value store that scripts on all workers share.", keys: keys)

    private static let keys = [
        ConfigurationKey(
            "kv.memory", \.kv.memory, .size((64 << 10)...(64 << 30)), "The size of the store, keys included.")
    ]
}

// The sections `scripts` and `kv`: where the Lua scripts are, which paths they serve, what they may cost, and what they share.

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

extension Configuration.Scripts {
    static let section = ConfigurationSection(
        "scripts", "The Lua scripts that decide what the server does.", keys: keys)

    private static let keys = [
        ConfigurationKey("scripts.folder", \.scripts.folder, .folder, "The folder of the scripts."),
        ConfigurationKey(
            "scripts.watch", \.scripts.watch, .flag,
            "Whether a saved script is loaded at once. Without it, SIGHUP and the admin API reload."),
        ConfigurationKey(
            "scripts.debounce", \.scripts.debounce, .time(.milliseconds(1) ... .seconds(60)),
            "How long the folder must be quiet before a change is loaded."),
        ConfigurationKey(
            "scripts.loadBudget", \.scripts.loadBudget, .time(.anyTime),
            "How long loading the scripts may take; longer fails the load, and the old ones stay."),
        ConfigurationKey(
            "scripts.reloadTimeout", \.scripts.reloadTimeout, .time(.anyTime),
            """
            How long a worker may take to come to each step of a reload, scripts.loadBudget not counted; longer gives the
            reload up, and the answer says what the worker does.
            """),
        ConfigurationKey(
            "scripts.warning", \.scripts.warning, .time(.anyTime),
            "The CPU time after which a running handler is reported in the log, once a minute for each place."),
        ConfigurationKey(
            "scripts.budget", \.scripts.budget, .time(.anyTime),
            "The CPU time after which a running handler is killed, from one wait to the next."),
        ConfigurationKey(
            "scripts.turnSlice", \.scripts.turnSlice, .time(.milliseconds(1) ... .seconds(1)),
            "The CPU time that scripts have in one turn of a worker. What is left over goes on after the other sockets."
        ),
        ConfigurationKey(
            "scripts.eventTimeout", \.scripts.eventTimeout, .time(.milliseconds(10) ... .seconds(3600)),
            "How long a handler may take with all its waits. Then its wait ends with \"timeout\", the next one kills it."
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
            "The CPU time beyond the budget after which a handler is reported that does not end though it was killed."),
        ConfigurationKey(
            "scripts.onStuck", \.scripts.onStuck, .choice,
            "What is done then: log it, or abort the process, so that the service manager starts it anew."),
        ConfigurationKey(
            "scripts.memory", \.scripts.memory, .size((1 << 20)...(64 << 30)),
            "Lua's memory in each worker. Beyond it an allocation fails, and with it that one event."),
        ConfigurationKey(
            "scripts.metricSeries", \.scripts.metricSeries, .number(0...100_000),
            "How many series (name and labels) the scripts of each worker may measure; one more is dropped and counted."
        ),
        ConfigurationKey(
            "scripts.degradedKills", \.scripts.degradedKills, .number(0...1_000_000),
            "So many handlers killed within a minute make /readyz say 'degraded'; 0 for never."),
        ConfigurationKey(
            "scripts.largestBlock", \.scripts.largestBlock, .size((64 << 10)...(64 << 30)),
            "The largest block of Lua's memory: one string, say. Beyond it the allocation fails."),
        ConfigurationKey(
            "scripts.coroutines", \.scripts.coroutines, .number(1...1_000_000),
            "How many coroutines scripts may have at once in each worker, waiting handlers not counted."),
        ConfigurationKey(
            "scripts.onError", \.scripts.onError, .choice,
            "What an error in a handler does to its connection: keep it, or close it with 1011."),
        ConfigurationKey(
            "scripts.routes", \.scripts.routes, .routes,
            """
            The script of each path. Empty: by file name, chat.lua serves /chat and main.lua every other path.
            Else only the paths named here are served, "*" being every other. In a variable: PATH=SCRIPT,PATH=SCRIPT.
              routes:
                /chat: rooms/chat
                "*": main
            """),
        ConfigurationKey(
            "scripts.upload", \.scripts.upload, .flag,
            """
            Whether the admin API takes scripts: PUT /v1/scripts/NAME writes into the folder, for whoever has a key with
            the scope manage.
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
        /// What the store may hold in bytes, keys included, 64 KiB to 64 GiB.
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
            "kv.memory", \.kv.memory, .size((64 << 10)...(64 << 30)), "What the store may hold, keys included.")
    ]
}

// The options of the Lua host, made from the configuration: for the server, `perigee check` and `perigee test`.

public import Scripting

extension ScriptOptions {
    /// The options that a configuration's `scripts` stand for.
    /// - Parameter store: the store of the scripts' `kv`.
    public init(_ configuration: Configuration, store: KeyValueStore) {
        let scripts = configuration.scripts
        self.init(
            memoryLimit: scripts.memory, loadBudget: scripts.loadBudget.seconds, metricSeries: scripts.metricSeries,
            settings: scripts.settings.json, store: store)
        budget = scripts.budget.seconds
        warning = scripts.warning.seconds
        stuckAfter = scripts.stuckAfter.seconds
        abortsWhenStuck = scripts.onStuck == .abort
        waitLimit = scripts.maxWaiting
        timerLimit = scripts.maxTimers
        spawnLimit = scripts.maxSpawned
        largestBlock = scripts.largestBlock
        coroutines = scripts.coroutines
    }
}

extension Duration {
    /// The duration in seconds.
    public var seconds: Double {
        Double(components.seconds) + Double(components.attoseconds) / 1e18
    }

    /// The duration in whole milliseconds, for timers and deadlines.
    public var milliseconds: UInt64 { UInt64(max(0, seconds * 1000).rounded()) }
}

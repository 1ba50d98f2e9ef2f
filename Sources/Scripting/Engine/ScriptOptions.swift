// How an engine is set up.

/// Limits and surroundings of one worker's scripts.
public struct ScriptOptions: Sendable {
    /// Bytes that the Lua state may take; 0 for no limit. Default 64 MiB.
    public var memoryLimit: Int
    /// Seconds of CPU that the top level of a bundle's files may take together. Default 1.
    public var loadBudget: Double
    /// How many series the scripts of this worker may measure with `metrics`. Default 1000.
    public var metricSeries: Int
    /// A JSON object that scripts read as `config`.
    public var settings: String
    /// What scripts share as `kv`: the same store for all workers.
    public var store: KeyValueStore
    /// Which worker this is, from 0. Named timers run on worker 0 alone.
    public var workerIndex: Int

    /// Makes options; the defaults are those of the configuration.
    public init(
        memoryLimit: Int = 64 << 20, loadBudget: Double = 1, metricSeries: Int = 1_000, settings: String = "{}",
        store: KeyValueStore = KeyValueStore(), workerIndex: Int = 0
    ) {
        self.memoryLimit = memoryLimit
        self.loadBudget = loadBudget
        self.metricSeries = metricSeries
        self.settings = settings
        self.store = store
        self.workerIndex = workerIndex
    }
}

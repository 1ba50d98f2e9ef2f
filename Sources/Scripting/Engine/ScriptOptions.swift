// How an engine is set up.

/// Limits and surroundings of one worker's scripts.
public struct ScriptOptions: Sendable {
    /// Bytes that the Lua state may take; 0 for no limit. Default 64 MiB.
    public var memoryLimit: Int
    /// Bytes that one block of it may have, a string or a table's storage, say; 0 for no limit. Default 16 MiB.
    public var largestBlock = 16 << 20
    /// Coroutines that scripts may have at once, those of waiting handlers not counted; 0 for no limit. Default 10,000.
    public var coroutines = 10_000
    /// Seconds of CPU that the top level of a bundle's files may take together. Default 1.
    public var loadBudget: Double
    /// A JSON object that scripts read as `config`.
    public var settings: String
    /// What scripts share as `kv`: the same store for all workers.
    public var store: KeyValueStore
    /// Which worker this is, from 0. Named timers run on worker 0 alone.
    public var workerIndex: Int

    /// Makes options; the defaults are those of the configuration.
    public init(
        memoryLimit: Int = 64 << 20, loadBudget: Double = 1, settings: String = "{}",
        store: KeyValueStore = KeyValueStore(), workerIndex: Int = 0
    ) {
        self.memoryLimit = memoryLimit
        self.loadBudget = loadBudget
        self.settings = settings
        self.store = store
        self.workerIndex = workerIndex
    }
}

// The options with which an engine is made.

import Glibc

/// Limits and surroundings of one worker's scripts.
public struct ScriptOptions: Sendable {
    /// Bytes that the Lua state may take; 0 for no limit. Default 64 MiB.
    public var memoryLimit: Int
    /// Bytes that one block of it may have, for example a string or a table's storage; 0 for no limit. Default 16 MiB.
    public var largestBlock = 16 << 20
    /// Coroutines that scripts may have at once, those of waiting handlers not counted; 0 for no limit. Default 10,000.
    public var coroutines = 10_000
    /// Seconds of CPU that the top level of a bundle's files may take together. Default 1.
    public var loadBudget: Double
    /// Seconds of CPU that a handler may take from one wait to the next before it is killed; 0 for no limit. Default
    /// 0.05.
    public var budget = 0.05
    /// Seconds of CPU after which a handler is reported as slow; 0 for never. Default 0.01.
    public var warning = 0.01
    /// Seconds of CPU beyond the budget after which a handler is reported that does not end although it was killed; 0
    /// for never. Default 2.
    public var stuckAfter = 2.0
    /// Whether the process ends in that case, so that its supervisor starts it again.
    public var abortsWhenStuck = false
    /// Called for such a handler, on the watchdog's thread: with its place in Lua and in C, and its seconds of CPU.
    public var stuck: @Sendable (_ place: String, _ seconds: Double) -> Void = { _, _ in }
    /// The record of the handler or step that the scripts began last.
    public var activity = ScriptActivity()
    /// Handlers that may wait at once. Default 10,000.
    public var waitLimit = 10_000
    /// Timers that scripts may have at once. Default 10,000.
    public var timerLimit = 10_000
    /// Functions of `server.spawn` that may wait to be called. Default 10,000.
    public var spawnLimit = 10_000
    /// How many series the scripts of this worker may measure with `metrics`. Default 1000.
    public var metricSeries: Int
    /// A JSON object that scripts read as `config`.
    public var settings: String
    /// The store behind `kv`: the same one for all workers.
    public var store: KeyValueStore
    /// The index of the worker, from 0. Named timers run on worker 0 alone.
    public var workerIndex: Int
    /// Whether named timers wait for `ScriptEngine.takeOverNamedTimers`, because another process runs them until then.
    public var holdsNamedTimers = false
    /// Stops named timers of this process once another process runs them.
    public var timerGate = TimerGate()
    /// Seconds since 1970, for timers that go by the calendar.
    public var wallClock: @Sendable () -> Double = ScriptOptions.realTime

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

    /// Seconds since 1970 by the system's clock.
    public static func realTime() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }
}

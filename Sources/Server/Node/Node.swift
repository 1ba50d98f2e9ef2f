// What the threads of one server share. All of it is immutable or a door: configuration, inboxes, broker, store.
//
// Read next: ../Worker/Worker.swift.

import EventLoop
import Glibc
import LineLog
import Logging
import PubSub
import Scripting
import Settings
import Synchronization

/// The shared half of a running server.
final class Node: Sendable {
    let configuration: Configuration
    let log: Logger
    /// What writes the log; nil where somebody else does.
    let logOutput: LogOutput?
    /// Part of every connection id, drawn at start, so that ids of different nodes and lives differ.
    let number: UInt16
    let workers: WorkerInboxes
    let broker: any Broker
    let store: KeyValueStore
    let limits: ConnectionLimits
    let certificates = LiveCertificates()
    let scriptErrors = ScriptErrorLog()
    let admin = Inbox<AdminMessage>()
    let reloader = Inbox<ReloadMessage>()
    let lifecycle = Inbox<LifecycleMessage>()
    let stuckHandlers = StuckHandlers()
    /// By worker, what its scripts began last.
    let activities: [ScriptActivity]
    /// Closed when another process runs the named timers, whether or not worker 0 has heard of it.
    let timerGate = TimerGate()
    /// Whether another process serves until this one does, and hands over then.
    let hasPredecessor: Bool
    /// Seconds since 1970 at start.
    let startedAt: Int
    private let live = Mutex(LiveScripts())
    private let version = Atomic<UInt64>(0)
    private let filters = Atomic<Bool>(false)

    init(
        configuration: Configuration, workers count: Int, log: Logger, logOutput: LogOutput? = nil,
        hasPredecessor: Bool = false
    ) {
        self.configuration = configuration
        self.log = log
        self.logOutput = logOutput
        self.hasPredecessor = hasPredecessor
        number = UInt16.random(in: 0...UInt16.max)
        workers = WorkerInboxes(count: count)
        activities = (0..<count).map { _ in ScriptActivity() }
        broker = MemoryBroker(receiver: workers)
        store = KeyValueStore(limit: configuration.kv.memory)
        limits = ConnectionLimits(configuration.limits)
        startedAt = time(nil)
    }

    /// Log entries that were dropped.
    var logEntriesDropped: UInt64 { logOutput?.dropped ?? 0 }

    /// The scripts that are live.
    var liveScripts: LiveScripts { live.withLock { $0 } }

    /// The version that is live, for the many who ask for no more.
    var liveVersion: UInt64 { version.load(ordering: .relaxed) }

    /// Whether pushes have to pass the scripts' onPublish.
    var filtersPushes: Bool {
        get { filters.load(ordering: .relaxed) }
        set { filters.store(newValue, ordering: .relaxed) }
    }

    /// Notes that all workers run the live bundle of this history.
    func setLive(_ history: BundleHistory) {
        version.store(history.live.bundle.version, ordering: .relaxed)
        live.withLock { $0 = LiveScripts(history, before: $0) }
    }

    /// What the workers' Lua hosts are made with.
    var scriptOptions: ScriptOptions {
        var options = Self.scriptOptions(configuration, store: store)
        options.stuck = { [log, stuckHandlers] place, seconds in
            stuckHandlers.count.add(1, ordering: .relaxed)
            log.critical(
                "a handler does not end although it was killed",
                metadata: ["cpuSeconds": "\(seconds)", "traceback": "\(place)"])
        }
        return options
    }

    /// What the configuration says about scripts, as the Lua host wants it.
    static func scriptOptions(_ configuration: Configuration, store: KeyValueStore) -> ScriptOptions {
        var options = ScriptOptions(
            memoryLimit: configuration.scripts.memory,
            loadBudget: configuration.scripts.loadBudget.seconds,
            metricSeries: configuration.scripts.metricSeries,
            settings: configuration.scripts.settings.json,
            store: store)
        options.budget = configuration.scripts.budget.seconds
        options.warning = configuration.scripts.warning.seconds
        options.stuckAfter = configuration.scripts.stuckAfter.seconds
        options.abortsWhenStuck = configuration.scripts.onStuck == .abort
        options.waitLimit = configuration.scripts.maxWaiting
        options.timerLimit = configuration.scripts.maxTimers
        options.spawnLimit = configuration.scripts.maxSpawned
        options.largestBlock = configuration.scripts.largestBlock
        options.coroutines = configuration.scripts.coroutines
        return options
    }
}

/// Counts the handlers that did not end although they were killed; the watchdog's thread does.
final class StuckHandlers: Sendable {
    let count = Atomic<UInt64>(0)
    var total: UInt64 { count.load(ordering: .relaxed) }
}

extension Duration {
    /// The duration in seconds.
    var seconds: Double {
        Double(components.seconds) + Double(components.attoseconds) / 1e18
    }

    /// The duration in whole milliseconds, for timers and deadlines.
    var milliseconds: UInt64 { UInt64(max(0, seconds * 1000).rounded()) }
}

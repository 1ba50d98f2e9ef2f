// The node: everything that the threads of one server share. All of it is immutable or safe to use from any thread:
// configuration, inboxes, fan-out, broker, store.
//
// Read next: ../Worker/Worker.swift.

package import ClientProtocols
package import EventLoop
import Glibc
package import LineLog
package import Logging
package import PubSub
package import Scripting
package import Settings
import Synchronization

/// The shared half of a running server.
package final class Node: Sendable {
    package let configuration: Configuration
    package let log: Logger
    /// The writer of the log; nil where another one is used.
    let logOutput: LogOutput?
    /// Part of every connection id, drawn at start, so that ids of different nodes and lives differ.
    package let number: UInt16
    package let workers: WorkerInboxes
    /// The workers with subscribers, for each channel.
    package let fanout: LocalFanout
    package let broker: any Broker
    package let store: KeyValueStore
    package let limits: ConnectionLimits
    /// The protocols that clients may speak besides raw frames.
    package let protocols: ProtocolTable
    package let certificates = LiveCertificates()
    package let scriptErrors = ScriptErrorLog()
    package let admin: Inbox<AdminMessage>
    package let reloader = Inbox<ReloadMessage>()
    package let lifecycle = Inbox<LifecycleMessage>()
    package let stuckHandlers = StuckHandlers()
    /// By worker, the last event that its scripts began.
    package let activities: [ScriptActivity]
    /// Closed when another process runs the named timers, whether or not worker 0 has heard of it.
    package let timerGate = TimerGate()
    /// Whether another process serves until this one does, and hands over then.
    let hasPredecessor: Bool
    /// Seconds since 1970 at start.
    package let startedAt: Int
    private let live = Mutex(LiveScripts())
    private let version = Atomic<UInt64>(0)
    private let filters = Atomic<Bool>(false)

    /// - Parameter broker: makes the broker, which delivers through the node's fan-out; without one, memory is the broker.
    package init(
        configuration: Configuration, workers count: Int, log: Logger, logOutput: LogOutput? = nil,
        hasPredecessor: Bool = false, protocols: ProtocolTable = ProtocolTable(),
        broker: ((LocalFanout) -> any Broker)? = nil
    ) {
        self.configuration = configuration
        self.log = log
        self.logOutput = logOutput
        self.hasPredecessor = hasPredecessor
        number = UInt16.random(in: 0...UInt16.max)
        admin = Inbox()
        workers = WorkerInboxes(count: count, admin: admin)
        activities = (0..<count).map { _ in ScriptActivity() }
        fanout = LocalFanout(receiver: workers, rules: configuration.channelRules)
        self.broker = broker?(fanout) ?? MemoryBroker(fanout: fanout, memory: configuration.history.memory)
        store = KeyValueStore(limit: configuration.kv.memory)
        limits = ConnectionLimits(configuration.limits)
        self.protocols = protocols
        startedAt = time(nil)
    }

    /// Log entries that were dropped.
    package var logEntriesDropped: UInt64 { logOutput?.dropped ?? 0 }

    /// The scripts that are live.
    package var liveScripts: LiveScripts { live.withLock { $0 } }

    /// The version that is live, without a lock.
    package var liveVersion: UInt64 { version.load(ordering: .relaxed) }

    /// Whether pushes have to pass the scripts' onPublish.
    package internal(set) var filtersPushes: Bool {
        get { filters.load(ordering: .relaxed) }
        set { filters.store(newValue, ordering: .relaxed) }
    }

    /// Notes that all workers run the live bundle of this history.
    package func setLive(_ history: BundleHistory) {
        version.store(history.live.bundle.version, ordering: .relaxed)
        live.withLock { $0 = LiveScripts(history, before: $0) }
    }

    /// The options of the workers' Lua hosts.
    package var scriptOptions: ScriptOptions {
        var options = ScriptOptions(configuration, store: store)
        options.stuck = { [log, stuckHandlers] place, seconds in
            stuckHandlers.count.add(1, ordering: .relaxed)
            log.critical(
                "a handler does not end although it was killed",
                metadata: ["cpuSeconds": "\(seconds)", "traceback": "\(place)"])
        }
        return options
    }
}

/// Counts the handlers that did not end although they were killed; the watchdog's thread does.
package final class StuckHandlers: Sendable {
    let count = Atomic<UInt64>(0)
    package var total: UInt64 { count.load(ordering: .relaxed) }
}

// The Lua host of one worker, as Swift knows it: a state, the bundle that runs in it, the names of its scripts, and its
// counters. The work is done in C; here it is given types.
//
// Runs on: the thread that made it; no two calls at once, and none from within a host function.
// Read next: ScriptEngine+Reload.swift, ScriptEngine+Events.swift, then LuaBridge/Events/event.c.

import LuaBridge

/// Runs a worker's scripts.
///
/// A new engine has no scripts: ``prepare(_:)`` runs a bundle beside the live one, ``commit()`` makes it live. Then the
/// events are called as they happen. The host must outlive the engine, which does not keep it alive.
public final class ScriptEngine {
    let link: HostLink
    let bridge: OpaquePointer
    let activity: ScriptActivity

    /// The live bundle.
    var live: ScriptBundle?
    /// The bundle that waits for ``commit()``.
    var candidate: ScriptBundle?
    /// Paths of the live bundle; "*" is not among them.
    var routes: [String: ScriptID] = [:]
    var fallback: ScriptID?

    private var ids: [String: ScriptID] = [:]
    private(set) var names: [String] = []

    // The engine runs on one thread and cannot be re-entered while an event runs. So the check for overlapping accesses
    // could find nothing, and would cost time in every event.
    /// For each id the script that serves it: the script itself, `main` if it is gone, -1 if there is no `main`.
    @exclusivity(unchecked) var targets: ContiguousArray<Int32> = []
    @exclusivity(unchecked) var counts: ContiguousArray<HandlerCount> = []

    /// The events that wait.
    var suspended: [UInt32: SuspendedEvent] = [:]

    /// The `onStart` and `onReload` handlers of the last commit that wait.
    var startedLife: [ScriptTask] = []

    /// The number of handlers that were killed because they had used up their CPU time.
    public internal(set) var kills: UInt64 = 0

    /// The runs of timers and spawned functions, and how many failed.
    public internal(set) var timerCount = HandlerCount()

    /// Makes an engine without scripts.
    ///
    /// - Throws: if the settings are not a JSON object, or the memory limit leaves no room for the state.
    public init(host: any ScriptHost, options: ScriptOptions) throws(ScriptError) {
        link = HostLink(host: host, options: options)
        activity = options.activity
        var failure = BridgeText()
        var settings = options.settings
        let opened = settings.withUTF8 { [link] settings in
            settings.withMemoryRebound(to: CChar.self) { settings in
                var bridgeOptions = BridgeOptions(
                    host: Unmanaged.passUnretained(link).toOpaque(), memoryLimit: max(0, options.memoryLimit),
                    largestBlock: max(0, options.largestBlock), coroutines: Int32(clamping: max(0, options.coroutines)),
                    loadBudget: options.loadBudget, budget: options.budget, warning: options.warning,
                    stuckAfter: options.stuckAfter, waitLimit: Int32(clamping: options.waitLimit),
                    abortsWhenStuck: options.abortsWhenStuck,
                    metricSeries: Int32(clamping: max(0, options.metricSeries)), settings: settings.baseAddress,
                    settingsCount: settings.count)
                return bridgeOpen(&bridgeOptions, &failure)
            }
        }
        guard let opened else {
            throw ScriptError(file: "", message: failure.string, version: 0)
        }
        bridge = opened
    }

    deinit {
        bridgeClose(bridge)
    }

    /// The version that runs, 0 before the first commit.
    public var version: UInt64 {
        live?.version ?? 0
    }

    /// Bytes that the Lua state takes.
    public var memoryInUse: Int {
        bridgeMemory(bridge)
    }

    /// The Lua library that is linked, as "Lua 5.4.4".
    public static var luaVersion: String {
        var version = BridgeText()
        bridgeLuaVersion(&version)
        return version.string
    }

    /// The script that serves a path, `nil` when none does.
    public func script(forPath path: String) -> ScriptID? {
        routes[path] ?? fallback
    }

    /// How often each handler that a live script defines was called and failed.
    public var handlerCounts: [(script: String, handlers: [(handler: ScriptHandler, count: HandlerCount)])] {
        (live?.scripts ?? []).map { script in
            let id = intern(script.name)
            let defined = ScriptHandler.allCases.filter { defines($0, id) }
            return (script.name, defined.map { ($0, count(of: $0, id)) })
        }
    }

    /// The name of a script, as "chat".
    public func name(of id: ScriptID) -> String {
        names[Int(id.index)]
    }

    /// Whether the script has this handler now.
    public func defines(_ handler: ScriptHandler, _ id: ScriptID) -> Bool {
        bridgeDefines(bridge, target(id), handler.event)
    }

    /// How often the script's handler was called and failed.
    public func count(of handler: ScriptHandler, _ id: ScriptID) -> HandlerCount {
        counts[countIndex(handler, id)]
    }

    @inline(__always)
    func target(_ id: ScriptID) -> Int32 {
        targets[Int(id.index)]
    }

    @inline(__always)
    func countIndex(_ handler: ScriptHandler, _ id: ScriptID) -> Int {
        Int(id.index) * ScriptHandler.count + handler.rawValue
    }

    /// The number of a script's name, for the life of the engine.
    func intern(_ name: String) -> ScriptID {
        if let id = ids[name] { return id }
        let id = ScriptID(index: Int32(names.count))
        ids[name] = id
        names.append(name)
        activity.add(name)
        targets.append(-1)
        counts.append(contentsOf: repeatElement(HandlerCount(), count: ScriptHandler.count))
        return id
    }
}

extension BridgeText {
    var string: String {
        withUnsafeBytes(of: bytes) { String(decoding: $0.prefix(Int(count)), as: UTF8.self) }
    }
}

extension ScriptEngine {
    /// All series, in the order in which they came into being.
    public var metrics: [ScriptMetric] {
        (0..<bridgeMetricCount(bridge)).map { index in
            var metric = BridgeMetric()
            bridgeMetricAt(bridge, index, &metric)
            return ScriptMetric(metric)
        }
    }

    /// How many values were dropped because there were too many series.
    public var metricsRefused: UInt64 {
        bridgeMetricsRefused(bridge)
    }
}

extension ScriptEngine {
    /// Versions of the scripts that something still refers to, including the live one. More than a few for a long time
    /// means a leak in a script, for example a function of old code in `conn.data`.
    public var generationsAlive: Int {
        Int(bridgeGenerationsAlive(bridge))
    }

    /// Coroutines that scripts have made and that are not collected yet.
    public var coroutines: Int {
        Int(bridgeCoroutines(bridge))
    }

    /// Full collections that were made because a limit was reached.
    var collections: Int {
        Int(truncatingIfNeeded: bridgeCollections(bridge))
    }

    /// Allocations of the Lua state, to tell them from Swift's.
    var allocations: Int {
        Int(truncatingIfNeeded: bridgeAllocations(bridge))
    }

    /// A full collection, which stops the worker for as long as it takes.
    func collect() {
        bridgeCollect(bridge)
    }

    /// Refuses every allocation of the Lua state after the next `count`; negative refuses none.
    func refuseAllocations(after count: Int) {
        bridgeRefuseAllocations(bridge, Int64(count))
    }

    /// Kills every event after this many instructions, as the watchdog would; `nil` kills none.
    func killAfter(instructions: Int32?) {
        bridgeKillAfter(bridge, instructions ?? -1)
    }
}

extension ScriptEngine {
    /// Every name that scripts can use here.
    public var vocabulary: ScriptVocabulary {
        var listing: [String] = []
        guard let strings = bridgeVocabulary(bridge) else { return ScriptVocabulary(listing: []) }
        var offset = 0
        var count = 0
        while let bytes = bridgeStringsNext(strings, &offset, &count) {
            listing.append(String(decoding: UnsafeRawBufferPointer(start: bytes, count: count), as: UTF8.self))
        }
        return ScriptVocabulary(listing: listing)
    }
}

extension ScriptEngine {
    /// Gives the table `t`, which the Lua source makes, to all files that are loaded from now on. The host must be a
    /// ``ScriptTestHost``.
    package func installTestKit(_ source: [UInt8]) throws(ScriptError) {
        let installed = source.withUnsafeBytes { bytes in
            bridgeInstallTestKit(
                bridge, BridgeBytes(bytes: bytes.bindMemory(to: CChar.self).baseAddress, count: bytes.count))
        }
        guard installed else {
            throw ScriptError(file: "", message: bridgeResult(bridge).pointee.messageString, version: 0)
        }
    }

    /// Stops the clocks that scripts see, at this time in seconds since 1970.
    package func setTime(_ seconds: Double) {
        bridgeSetTime(bridge, seconds)
    }
}

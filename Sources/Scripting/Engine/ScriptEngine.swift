// The Lua host of one worker, as Swift knows it: a state, the bundle that runs in it, and what its scripts are called.
// The work is done in C; here it is given types.
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

    /// The bundle that runs.
    var live: ScriptBundle?
    /// The bundle that waits for ``commit()``.
    var candidate: ScriptBundle?
    /// Paths of the live bundle; "*" is not among them.
    var routes: [String: ScriptID] = [:]
    var fallback: ScriptID?

    private var ids: [String: ScriptID] = [:]
    private(set) var names: [String] = []

    // One thread, and no way back in while an event runs: the check for overlapping accesses would cost every event
    // what it cannot find.
    /// For each id the script that serves it: itself, `main` when it is gone, -1 when there is none.
    @exclusivity(unchecked) var targets: ContiguousArray<Int32> = []
    @exclusivity(unchecked) var counts: ContiguousArray<HandlerCount> = []

    /// The events that wait.
    var suspended: [UInt32: SuspendedEvent] = [:]

    /// The `onStart` and `onReload` handlers of the last commit that wait.
    var startedLife: [ScriptTask] = []

    /// Handlers that were killed because they had used up their CPU time.
    public internal(set) var kills: UInt64 = 0

    /// The runs of timers and how many failed.
    public internal(set) var timerCount = HandlerCount()

    /// Makes an engine without scripts.
    ///
    /// - Throws: when the settings are not a JSON object, or the memory limit leaves no room for the state.
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

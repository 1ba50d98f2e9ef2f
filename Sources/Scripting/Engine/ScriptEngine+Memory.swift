// What an engine holds, and the handles by which tests make memory and time scarce.

import LuaBridge

extension ScriptEngine {
    /// Versions of the scripts that something still refers to, the live one included. More than a few for long is a
    /// leak in a script: a function of old code kept in `conn.data`, say.
    public var generationsAlive: Int {
        Int(bridgeGenerationsAlive(bridge))
    }

    /// Coroutines that scripts have made and that are not collected yet.
    public var coroutines: Int {
        Int(bridgeCoroutines(bridge))
    }

    /// Full collections, which a limit that was reached had asked for.
    var collections: Int {
        Int(truncatingIfNeeded: bridgeCollections(bridge))
    }

    /// Blocks that the Lua state has asked for, to tell them from Swift's.
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

    /// Kills every event that is so many instructions old, as the watchdog would; `nil` kills none.
    func killAfter(instructions: Int32?) {
        bridgeKillAfter(bridge, instructions ?? -1)
    }
}

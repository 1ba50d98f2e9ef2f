// Where the bridge's calls arrive in Swift: the pointer that C hands back with every host function is to one of these.
// It joins what an engine's scripts can reach: the host, the store that all workers share, and the timers.
//
// Runs on: the worker's thread. Allocates: nothing on the way of a message.
// Read next: HostLink+Connection.swift, HostLink+Server.swift, HostLink+Store.swift.

import LuaBridge

final class HostLink {
    // The worker owns the engine and is its host. Owning it back would be a cycle, and a counted reference an atomic
    // operation per message.
    unowned(unsafe) let host: any ScriptHost
    let store: KeyValueStore
    var timers: TimerTable
    /// True while a candidate's files run: timers are declared, not started.
    var isPreparing = false
    /// What `server.spawn` was given.
    var spawned: SpawnQueue
    /// What the handler has waited for that goes on just now.
    var answer = WaitAnswer.done
    /// Called on the watchdog's thread: the only member that another thread uses.
    let stuck: @Sendable (String, Double) -> Void

    init(host: any ScriptHost, options: ScriptOptions) {
        self.host = host
        self.store = options.store
        self.stuck = options.stuck
        self.timers = TimerTable(
            namedTimers: options.workerIndex != 0 ? .elsewhere : options.holdsNamedTimers ? .held : .here,
            gate: options.timerGate, limit: options.timerLimit, wallClock: options.wallClock)
        self.spawned = SpawnQueue(limit: options.spawnLimit)
    }

    /// Runs `body` with the link that C handed back, which the engine keeps alive for the length of the event.
    @inline(__always)
    static func with<Result>(_ pointer: UnsafeMutableRawPointer, _ body: (HostLink) -> Result) -> Result {
        Unmanaged<HostLink>.fromOpaque(pointer)._withUnsafeGuaranteedRef(body)
    }
}

extension ConnectionHandle {
    @inline(__always)
    init(_ connection: BridgeConnection) {
        self.init(slot: connection.slot, generation: connection.generation)
    }

    @inline(__always)
    var bridged: BridgeConnection {
        BridgeConnection(slot: slot, generation: generation)
    }
}

extension BridgeBytes {
    @inline(__always)
    var buffer: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: bytes, count: count)
    }
}

extension BridgePayload {
    @inline(__always)
    var buffer: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: bytes, count: count)
    }
}

// The object at which the bridge's calls arrive in Swift: C hands back a pointer to it with every host function. It
// joins all that an engine's scripts can reach: the host, the store that all workers share, the timers, and the
// functions that `server.spawn` was given.
//
// Runs on: the worker's thread. Allocates: nothing for a message; when more functions wait than ever before.
// Read next: ConnectionHost.swift, ServerHost.swift, HostLink+Store.swift.

import LuaBridge

final class HostLink {
    // The worker owns the engine and is its host. Owning it back would be a cycle, and a counted reference an atomic
    // operation per message.
    unowned(unsafe) let host: any ScriptHost
    let store: KeyValueStore
    var timers: TimerTable
    /// Whether a candidate's files run: timers are then declared and not started.
    var isPreparing = false
    /// The functions that `server.spawn` was given.
    var spawned: SpawnQueue
    /// The answer for the handler that is being resumed.
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

/// A bounded queue of functions.
struct SpawnQueue {
    private let limit: Int
    private var functions: [Int32] = []
    /// Functions before this index have been called.
    private var first = 0
    /// How often a function was refused because too many waited.
    private(set) var refused: UInt64 = 0

    init(limit: Int) { self.limit = limit }

    var count: Int { functions.count - first }

    /// False when the queue is full.
    mutating func append(_ function: Int32) -> Bool {
        guard count < limit else {
            refused += 1
            return false
        }
        functions.append(function)
        return true
    }

    mutating func popFirst() -> Int32? {
        guard first < functions.count else { return nil }
        defer {
            first += 1
            if first == functions.count || first >= 1_024 {
                functions.removeFirst(first)
                first = 0
            }
        }
        return functions[first]
    }
}

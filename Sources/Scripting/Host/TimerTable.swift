// The timers of one worker's scripts. A timer has a number that scripts and the server know it by, which a named timer
// keeps across reloads, and so keeps its phase; and the bridge's number of the Lua function, which changes with the
// code.
//
// Runs on: the worker's thread.

import LuaBridge

struct TimerTable {
    /// What a script asked for.
    struct Request {
        let function: Int32
        let after: Double
        let period: Double?
        let name: String?
    }

    private struct Timer {
        var function: Int32
        let period: Double?
        let name: String?
        var generation: UInt32
    }

    static let limit = 10_000

    private let runsNamedTimers: Bool
    private var timers: [Int32: Timer] = [:]
    private var numbers: [String: Int32] = [:]
    private var declared: [Request] = []
    private var generation: UInt32 = 0
    private var lastNumber: Int32 = 0

    init(runsNamedTimers: Bool) {
        self.runsNamedTimers = runsNamedTimers
    }

    var count: Int { timers.count }

    func number(named name: String) -> Int32? {
        numbers[name]
    }

    /// Notes a timer of a candidate generation. Only named timers are declared.
    mutating func declare(_ request: Request) -> BridgeTimerResult {
        if declared.contains(where: { $0.name == request.name }) { return .declaredTwice }
        if declared.count >= Self.limit { return .tooMany }
        declared.append(request)
        return .declared
    }

    /// Starts a timer. One whose name is taken gets the number of its predecessor, and its phase if the period is the
    /// same.
    mutating func start(
        _ request: Request, on host: any ScriptHost, _ started: inout BridgeStartedTimer
    ) -> BridgeTimerResult {
        if request.name != nil, !runsNamedTimers { return .elsewhere }
        let taken = request.name.flatMap { numbers[$0] }
        if taken == nil, timers.count >= Self.limit { return .tooMany }
        let number = taken ?? nextNumber()
        let old = timers[number]
        started.number = number
        started.replaced = old?.function ?? 0
        timers[number] = Timer(
            function: request.function, period: request.period, name: request.name, generation: generation)
        if let name = request.name { numbers[name] = number }
        if old == nil || old?.period != request.period {
            host.setTimer(id: number, after: request.after, every: request.period, name: request.name)
        }
        return .started
    }

    /// Starts what the new generation declared. Returns the functions that are no longer needed.
    mutating func commit(on host: any ScriptHost) -> [Int32] {
        generation &+= 1
        let requests = declared
        declared = []
        var dropped: [Int32] = []
        for request in requests {
            var started = BridgeStartedTimer(number: 0, replaced: 0)
            if start(request, on: host, &started) != .started { dropped.append(request.function) }
            if started.replaced > 0 { dropped.append(started.replaced) }
        }
        return dropped
    }

    /// Cancels the timers that the live generation did not take over. Returns their functions.
    mutating func cancelOld(on host: any ScriptHost) -> [Int32] {
        let old = timers.filter { $0.value.generation != generation }.keys.sorted()
        return old.compactMap { number in
            host.cancelTimer(id: number)
            return remove(number)
        }
    }

    /// Forgets what a candidate declared. Returns its functions.
    mutating func discard() -> [Int32] {
        defer { declared = [] }
        return declared.map(\.function)
    }

    /// The function of a timer that is due, and whether it was its last time.
    mutating func fire(_ number: Int32) -> (function: Int32, isLast: Bool)? {
        guard let timer = timers[number] else { return nil }
        let isLast = timer.period == nil
        if isLast { timers[number] = nil }
        return (timer.function, isLast)
    }

    /// Forgets a timer. Returns its function, `nil` when there is no such timer.
    mutating func remove(_ number: Int32) -> Int32? {
        guard let timer = timers.removeValue(forKey: number) else { return nil }
        if let name = timer.name { numbers[name] = nil }
        return timer.function
    }

    private mutating func nextNumber() -> Int32 {
        repeat {
            lastNumber = lastNumber == .max ? 1 : lastNumber + 1
        } while timers[lastNumber] != nil
        return lastNumber
    }
}

// The timers of one worker's scripts. A timer has two numbers. Scripts and the server know it by one, which a named
// timer keeps across reloads together with its phase. The other is the bridge's number of the Lua function, which
// changes with the code.
//
// A timer that the files of a bundle declare lives as long as a bundle declares it. A timer that a handler starts goes
// on across a reload, in the code that started it, until it has fired, is cancelled, or its name is taken over: a
// client may be waiting for it.
//
// Runs on: the worker's thread.

import LuaBridge
import Synchronization

/// Whether named timers may run in this process. A thread that cannot wait for the worker closes the gate. The worker
/// checks it before it begins a timer's function: no timer begins after a check that sees the closed gate, but one that
/// was checked just before the close may still begin.
public final class TimerGate: Sendable {
    private let closed = Atomic<Bool>(false)

    /// An open gate.
    public init() {}

    /// Whether the named timers run in another process.
    public var isClosed: Bool { closed.load(ordering: .acquiring) }

    /// Closes the gate: from here on named timers run in another process. It does not open again.
    public func close() { closed.store(true, ordering: .releasing) }
}

struct TimerTable {
    /// The times at which a timer is due.
    enum Schedule: Equatable {
        case once(after: Double)
        case every(Double)
        case cron(CronSchedule)
    }

    /// A script's request for a timer.
    struct Request {
        let function: Int32
        let schedule: Schedule
        let name: String?
    }

    private struct Timer {
        var function: Int32
        let schedule: Schedule
        let name: String?
        /// The generation whose files declare it; nil when a handler started it.
        let declaredBy: UInt32?
        /// The due time by the wall clock, for a timer that goes by the calendar.
        var due: Int?
    }

    /// The seconds after which a timer that goes by the calendar checks the clock again, because clocks are set.
    private static let longestSleep = 60.0
    /// A timer of the loop may be a little early by the wall clock, in seconds.
    private static let tolerance = 0.002

    /// The place where named timers run.
    enum NamedTimers {
        case here
        /// On another worker, or in the process that this one has handed over to.
        case elsewhere
        /// In the process that is about to hand over to this one: they are started here, and wait for the handover.
        case held
    }

    private var namedTimers: NamedTimers
    private let gate: TimerGate
    /// The most timers.
    private let limit: Int
    /// Seconds since 1970.
    private let wallClock: () -> Double
    private var timers: [Int32: Timer] = [:]
    /// Numbers by the bytes of the name. A string as the key would take two spellings that Unicode calls equivalent for
    /// one name.
    private var numbers: [[UInt8]: Int32] = [:]
    private var declared: [Request] = []
    private var declaredNames: Set<[UInt8]> = []
    /// How many timers of handlers there will be beside the declared ones: see ``stays(_:)``.
    private var staying = 0
    /// Timers that an earlier generation declared and the live one has not taken over, until they are cancelled: they
    /// do not count against the limit.
    private var outgoing: Set<Int32> = []
    private var generation: UInt32 = 0
    private var lastNumber: Int32 = 0
    /// How often a timer was refused because there were too many.
    private(set) var refused: UInt64 = 0

    init(namedTimers: NamedTimers, gate: TimerGate, limit: Int, wallClock: @escaping () -> Double) {
        self.namedTimers = namedTimers
        self.gate = gate
        self.limit = limit
        self.wallClock = wallClock
    }

    var count: Int { timers.count }

    func number(named name: String) -> Int32? {
        numbers[Array(name.utf8)]
    }

    /// Declares a timer of a candidate generation, if there will be room for it. Only named timers are declared.
    mutating func declare(_ request: Request) -> BridgeTimerResult {
        let name = Array((request.name ?? "").utf8)
        if declaredNames.contains(name) { return .declaredTwice }
        let takesOver = numbers[name].flatMap { timers[$0] }.map { stays($0) } ?? false
        // If named timers do not run here, they do not count.
        let others = namedTimers == .elsewhere ? 0 : staying - (takesOver ? 1 : 0)
        if declared.count + others >= limit { return refuse() }
        if takesOver { staying -= 1 }
        declaredNames.insert(name)
        declared.append(request)
        return .declared
    }

    /// Starts a timer for a handler. If its name is taken, it gets the number of its predecessor, and its phase if the
    /// schedule is the same.
    mutating func start(
        _ request: Request, on host: any ScriptHost, _ started: inout BridgeStartedTimer
    ) -> BridgeTimerResult {
        start(request, declaredBy: nil, on: host, &started)
    }

    private mutating func start(
        _ request: Request, declaredBy generation: UInt32?, on host: any ScriptHost,
        _ started: inout BridgeStartedTimer
    ) -> BridgeTimerResult {
        if request.name != nil, namedTimers == .elsewhere || gate.isClosed { return .elsewhere }
        let name = request.name.map { Array($0.utf8) }
        let taken = name.flatMap { numbers[$0] }
        let old = taken.flatMap { timers[$0] }
        let timer = Timer(
            function: request.function, schedule: request.schedule, name: request.name, declaredBy: generation,
            due: old?.due)
        // The place of a declared timer was counted when it was declared.
        if generation == nil, !hasRoom(for: timer, inPlaceOf: taken) { return refuse() }
        let number = taken ?? nextNumber()
        outgoing.remove(number)
        started.number = number
        started.replaced = old?.function ?? 0
        put(timer, at: number)
        if let name { numbers[name] = number }
        if old?.schedule != request.schedule { arm(number, on: host) }
        return .started
    }

    /// Whether there is room for a timer that a handler starts, now and after the commit of a candidate's declarations.
    private func hasRoom(for timer: Timer, inPlaceOf taken: Int32?) -> Bool {
        let needsPlace = taken.map { outgoing.contains($0) } ?? true
        if needsPlace, timers.count - outgoing.count >= limit { return false }
        // If named timers do not run here, declared timers do not count.
        if declared.isEmpty || namedTimers == .elsewhere { return true }
        let stayed = taken.flatMap { timers[$0] }.map { stays($0) } ?? false
        return stayed || !stays(timer) || declared.count + staying < limit
    }

    /// Whether a handler started the timer and no declared timer takes it over at the commit.
    private func stays(_ timer: Timer) -> Bool {
        guard timer.declaredBy == nil else { return false }
        guard let name = timer.name, !declaredNames.isEmpty else { return true }
        return !declaredNames.contains(Array(name.utf8))
    }

    /// The only place where timers are added, replaced and removed, so that those that stay are counted.
    @discardableResult
    private mutating func put(_ timer: Timer?, at number: Int32) -> Timer? {
        let old = timers[number]
        if let old, stays(old) { staying -= 1 }
        if let timer, stays(timer) { staying += 1 }
        timers[number] = timer
        return old
    }

    private mutating func refuse() -> BridgeTimerResult {
        refused += 1
        return .tooMany
    }

    /// - Parameter last: the second up to which a timer that goes by the calendar has run already; nil for the current
    ///   one.
    private mutating func arm(_ number: Int32, after last: Int? = nil, on host: any ScriptHost) {
        guard let timer = timers[number], namedTimers != .held || timer.name == nil else { return }
        switch timer.schedule {
        case .once(let delay):
            host.setTimer(id: number, after: delay, every: nil, name: timer.name)
        case .every(let period):
            host.setTimer(id: number, after: period, every: period, name: timer.name)
        case .cron(let schedule):
            let now = wallClock()
            timers[number]?.due = schedule.next(after: last ?? Int(now.rounded(.down)))
            sleep(number, now: now, on: host)
        }
    }

    // MARK: Handing over to another process

    /// Ends the named timers, which run in another process from here on. Returns their functions, and the second of the
    /// calendar up to which they have run.
    mutating func handOver(on host: any ScriptHost) -> (functions: [Int32], ranUntil: Int) {
        let named = numbers.values.sorted()
        let nextDue = named.compactMap { timers[$0]?.due }.min() ?? .max
        let ranUntil = min(Int((wallClock() + Self.tolerance).rounded(.down)), nextDue - 1)
        namedTimers = .elsewhere
        let functions = named.compactMap { number in
            host.cancelTimer(id: number)
            return remove(number)
        }
        return (functions, ranUntil)
    }

    /// Starts the named timers that were held.
    /// - Parameter ranUntil: the second of the calendar up to which another process has run them; nil: up to now.
    mutating func takeOver(ranUntil: Int?, on host: any ScriptHost) {
        guard namedTimers == .held else { return }
        namedTimers = .here
        let now = Int(wallClock().rounded(.down))
        let last = ranUntil.map { min(max($0, now - Self.longestHandover), now) }
        for number in numbers.values.sorted() { arm(number, after: last, on: host) }
    }

    /// The most seconds of the calendar for which a handover makes up.
    private static let longestHandover = 60

    private func sleep(_ number: Int32, now: Double, on host: any ScriptHost) {
        guard let timer = timers[number], let due = timer.due else { return }
        let delay = min(Self.longestSleep, max(0, Double(due) - now))
        host.setTimer(id: number, after: delay, every: nil, name: timer.name)
    }

    /// Starts the timers that the new generation declared. Returns the functions that are no longer needed.
    mutating func commit(on host: any ScriptHost) -> [Int32] {
        generation &+= 1
        let requests = declared
        forgetDeclared()
        var dropped: [Int32] = []
        for request in requests {
            var started = BridgeStartedTimer()
            if start(request, declaredBy: generation, on: host, &started) != .started {
                dropped.append(request.function)
            }
            if started.replaced > 0 { dropped.append(started.replaced) }
        }
        outgoing = Set(
            timers.filter { $0.value.declaredBy != nil && $0.value.declaredBy != self.generation }.keys)
        return dropped
    }

    /// Cancels the timers that an earlier generation declared and the live one did not take over. Returns their
    /// functions.
    mutating func cancelOld(on host: any ScriptHost) -> [Int32] {
        outgoing.sorted().compactMap { number in
            host.cancelTimer(id: number)
            return remove(number)
        }
    }

    /// Forgets the timers that a candidate declared. Returns their functions.
    mutating func discard() -> [Int32] {
        defer { forgetDeclared() }
        return declared.map(\.function)
    }

    private mutating func forgetDeclared() {
        declared = []
        declaredNames = []
        staying = timers.values.reduce(0) { $0 + (stays($1) ? 1 : 0) }
    }

    /// The function of a timer that is due, and a flag for its last run; nil if there is nothing to run.
    mutating func fire(_ number: Int32, on host: any ScriptHost) -> (function: Int32, isLast: Bool)? {
        guard let timer = timers[number] else { return nil }
        // It is due here too if the message to hand over has not been read yet.
        if timer.name != nil, gate.isClosed { return nil }
        switch timer.schedule {
        case .once:
            put(nil, at: number)
            outgoing.remove(number)
            return (timer.function, true)
        case .every:
            return (timer.function, false)
        case .cron(let schedule):
            return fire(timer, number, schedule, on: host) ? (timer.function, false) : nil
        }
    }

    /// Whether the timer is due; arms it for the next time, or for another look at the clock.
    private mutating func fire(
        _ timer: Timer, _ number: Int32, _ schedule: CronSchedule, on host: any ScriptHost
    ) -> Bool {
        let now = wallClock()
        let due = timer.due ?? 0
        let isDue = now >= Double(due) - Self.tolerance
        let from = isDue ? max(Int(now.rounded(.down)), due) : Int(now.rounded(.down))
        timers[number]?.due = schedule.next(after: from)
        sleep(number, now: now, on: host)
        return isDue
    }

    /// Forgets a timer. Returns its function, `nil` when there is no such timer.
    mutating func remove(_ number: Int32) -> Int32? {
        guard let timer = put(nil, at: number) else { return nil }
        outgoing.remove(number)
        if let name = timer.name { numbers[Array(name.utf8)] = nil }
        return timer.function
    }

    private mutating func nextNumber() -> Int32 {
        repeat {
            lastNumber = lastNumber == .max ? 1 : lastNumber + 1
        } while timers[lastNumber] != nil
        return lastNumber
    }
}

// Handlers that wait. A connection's events run one at a time: while one waits, the next ones queue, and the worker goes on
// with other connections. What an event waits for is an operation of the worker's loop, whose end resumes it.
//
// Read next: ../Clients/ClientConnection+Waiting.swift, Scripting/Engine/ScriptEngine+Waiting.swift.

import CLinux
import EventLoop
import HTTPClient
import Logging
package import Scripting
import Settings
import WebSocket

extension Worker {
    /// An event that waits.
    struct WaitingEvent {
        /// What a wait is for.
        enum Operation {
            case sleep(TimerID)
            case request(RequestID)
        }

        /// An operation that runs, and the wait that its end is the end of.
        struct Wait {
            let ticket: WaitTicket
            let operation: Operation
        }

        /// The connection that it is about, kept until it has ended.
        var connection: ClientConnection?
        var wait: Wait?
        /// The question that it answers.
        var question: WaitingQuestion?
        /// The repeating timer whose function it is.
        var timer: Int32?
        /// When its time is up.
        var deadline: TimerID?
        /// Whether its time is up and it has not been told yet.
        var isLate = false
        /// Whether it is to be cancelled when its turn comes.
        var isCancelled = false
    }

    // MARK: Operations

    package func sleep(_ ticket: WaitTicket, seconds: Double) {
        let timer = loop.schedule(after: Self.milliseconds(seconds)) { [unowned self] in finish(ticket, with: .done) }
        begin(.sleep(timer), of: ticket)
    }

    /// Notes what the wait is for that begins.
    func begin(_ operation: WaitingEvent.Operation, of ticket: WaitTicket) {
        waiting[ticket.task, default: WaitingEvent()].wait = WaitingEvent.Wait(ticket: ticket, operation: operation)
    }

    /// An operation is over: the handler goes on. One that was cancelled when its end was on its way already is nobody's: the
    /// event that it was for may have ended in this turn, and another have taken its number.
    func finish(_ ticket: WaitTicket, with answer: WaitAnswer) {
        guard waiting[ticket.task]?.wait?.ticket == ticket else { return }
        waiting[ticket.task]?.wait = nil
        waitHasEnded(.answered(ticket, answer))
    }

    /// The event of a wait that has ended goes on; false when that event has ended otherwise meanwhile.
    func goOn(_ wait: EndedWait) -> Bool {
        switch wait {
        case .answered(let ticket, let answer):
            guard let resumption = engine.resume(ticket, with: answer) else { return false }
            proceed(ticket.task, resumption)
        case .timedOut(let task):
            // Its number may be another event's by now.
            guard waiting[task]?.isLate == true else { return false }
            waiting[task]?.isLate = false
            cancelOperation(of: task)
            if let resumption = engine.timeOut(task) { proceed(task, resumption) }
        case .cancelled(let task):
            guard waiting[task]?.isCancelled == true else { return false }
            cancelWait(of: task)
        }
        return true
    }

    private func cancelOperation(of task: ScriptTask) {
        switch waiting[task]?.wait?.operation {
        case .sleep(let timer): loop.cancel(timer)
        case .request(let request): http.cancel(request)
        case nil: break
        }
        waiting[task]?.wait = nil
    }

    // MARK: Events

    /// An event waits that has begun just now.
    /// - Parameter isLimited: whether it must end within `scripts.eventTimeout`.
    func beganToWait(_ task: ScriptTask, on connection: ClientConnection?, isLimited: Bool = true) {
        waiting[task, default: WaitingEvent()].connection = connection
        if isLimited { limitWaiting(of: task) }
    }

    private func limitWaiting(of task: ScriptTask) {
        guard waiting[task]?.deadline == nil else { return }
        var deadline: TimerID?
        deadline = loop.schedule(after: timeouts.event) { [unowned self] in
            // The event may have ended in this turn, and another have taken its number.
            guard waiting[task]?.deadline == deadline else { return }
            waiting[task]?.deadline = nil
            statistics.handlersTimedOut += 1
            waiting[task]?.isLate = true
            waitHasEnded(.timedOut(task))
        }
        waiting[task]?.deadline = deadline
    }

    /// Functions that were spawned by an old version have as long as any event to come to their end.
    func limitSpawnedOfOldVersions() {
        for task in waiting.keys where engine.isSpawnedByOldVersion(task) { limitWaiting(of: task) }
    }

    /// Ends the wait of an event whose connection is closed.
    func cancelWait(of task: ScriptTask) {
        cancelOperation(of: task)
        if let resumption = engine.cancel(task) { proceed(task, resumption) }
    }

    /// Ends all waits, each when its turn comes.
    func cancelAllWaits() {
        for task in waiting.keys {
            waiting[task]?.isCancelled = true
            putOff(.cancelled(task))
        }
    }

    /// Ends all waits at once, because the loop ends. Those that are left after a while end unheard, with the Lua state.
    func endAllWaits() {
        let end = clinux_monotonic_nanoseconds() + Self.lastWords
        for task in waiting.keys where clinux_monotonic_nanoseconds() < end { cancelWait(of: task) }
    }

    /// Nanoseconds that the waiting handlers of a worker have in all when it ends.
    private static let lastWords: UInt64 = 1_000_000_000

    private func proceed(_ task: ScriptTask, _ resumption: Resumption) {
        switch resumption {
        case .event(let event, _): noteEvent(.resumed(event))
        case .upgrade(let event, _): noteEvent(.resumed(event))
        case .reply(let event, _): noteEvent(.resumed(event))
        }
        switch resumption {
        case .event(_, .waiting), .upgrade(_, .waiting), .reply(_, .waiting):
            return
        case .reply(_, let reply):
            let question = waiting[task]?.question
            _ = retire(task)
            if let question { settle(question, reply) }
        case .event(let event, let outcome):
            let connection = retire(task)
            conclude(event, outcome, on: connection)
        case .upgrade(_, let outcome):
            retire(task)?.decided(outcome)
        }
    }

    /// Forgets an event that has ended; answers its connection.
    private func retire(_ task: ScriptTask) -> ClientConnection? {
        guard let event = waiting.removeValue(forKey: task) else { return nil }
        if let deadline = event.deadline { loop.cancel(deadline) }
        if let timer = event.timer { busyTimers.remove(timer) }
        return event.connection
    }

    private func conclude(_ event: SuspendedEvent, _ outcome: EventOutcome, on connection: ClientConnection?) {
        guard let connection else {
            if case .failed(let error) = outcome { note(error, on: nil) }
            return
        }
        if case .handler(.close, _) = event.work {
            if case .failed(let error) = outcome { note(error, on: connection) }
            return endLingering(connection)
        }
        connection.isBusy = false
        perform(outcome, on: connection)
        if turns.slice.isOver, let pending = connection.extras?.value.pending, connection.yields(before: pending) {
            return
        }
        connection.runPendingEvents()
    }

    // MARK: Connections that are gone

    /// The connection's onClose waits: it can still be asked for what it was.
    /// - Parameter remains: what the connection was until now, which hub and socket forget.
    func linger(_ connection: ClientConnection, _ task: ScriptTask, _ remains: ClientConnection.Remains) {
        connection.makeExtras().value.remains = remains
        lingering[connection.handle] = connection
        beganToWait(task, on: connection)
    }

    private func endLingering(_ connection: ClientConnection) {
        lingering[connection.handle] = nil
        engine.forget(connection.handle)
        if connectionCount == 0 && lingering.isEmpty { lastIsGone() }
    }

    // MARK: Functions of their own

    /// A repeating timer is due. One whose function still waits passes this time by.
    func repeatTimer(_ id: Int32) {
        guard !busyTimers.contains(id) else { return }
        let outcome = engine.fireTimer(id)
        performAlone(outcome)
        guard case .waiting(let task) = outcome else { return }
        busyTimers.insert(id)
        waiting[task]?.timer = id
    }

    /// An event that is about no connection has run.
    func performAlone(_ outcome: EventOutcome, isLimited: Bool = true) {
        switch outcome {
        case .done, .closeRequested: break
        case .waiting(let task): beganToWait(task, on: nil, isLimited: isLimited)
        case .failed(let error): note(error, on: nil)
        }
    }

    // MARK: The watchdog

    package func slow(traceback: String) {
        statistics.handlersSlow += 1
        let place = String(traceback.prefix { $0 != "\n" })
        if let last = slowPlaces[place], loop.now < last + Self.slowInterval { return }
        if slowPlaces.count == Self.slowPlaceLimit { slowPlaces = [:] }
        slowPlaces[place] = loop.now
        log.warning(
            "a handler took more than \(node.configuration.scripts.warning.milliseconds) ms of CPU; it was at \(place)",
            metadata: ["traceback": "\(traceback)", "version": "\(engine.version)"])
    }

    /// Milliseconds between two reports of the same place.
    private static let slowInterval: UInt64 = 60_000
    private static let slowPlaceLimit = 1_000
}

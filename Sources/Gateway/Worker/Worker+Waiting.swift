// Handlers that wait. A connection's events run one at a time: while one waits, the next ones queue, and the worker goes on
// with other connections. What an event waits for is an operation of the worker's loop, whose end resumes it.
//
// Read next: WaitingHandlers.swift, ../Clients/ClientConnection+Deferred.swift, Scripting/Engine/ScriptEngine+Waiting.swift.

import CLinux
import EventLoop
import Logging
package import Scripting
import Settings
import WebSocket

extension Worker {
    // MARK: Operations

    package func sleep(_ ticket: WaitTicket, seconds: Double) {
        let timer = loop.schedule(after: Self.milliseconds(seconds)) { [unowned self] in finish(ticket, with: .done) }
        waiting.begin(.sleep(timer), of: ticket)
    }

    /// An operation is over: the handler goes on.
    func finish(_ ticket: WaitTicket, with answer: WaitAnswer) {
        if waiting.end(ticket) { waitHasEnded(.answered(ticket, answer)) }
    }

    /// The event of a wait that has ended goes on; false when that event has ended otherwise meanwhile.
    func goOn(_ wait: EndedWait) -> Bool {
        turns.slice.beginSource()
        switch wait {
        case .answered(let ticket, let answer):
            guard let resumption = engine.resume(ticket, with: answer) else { return false }
            proceed(ticket.task, resumption)
        case .timedOut(let task):
            guard waiting.takeLateness(of: task) else { return false }
            waiting.cancelOperation(of: task)
            if let resumption = engine.timeOut(task) { proceed(task, resumption) }
        case .cancelled(let task):
            guard waiting.isCancelled(task) else { return false }
            cancelWait(of: task)
        }
        return true
    }

    // MARK: Events

    /// An event waits that has begun just now.
    /// - Parameter isLimited: whether it must end within `scripts.eventTimeout`.
    func beganToWait(_ task: ScriptTask, on connection: ClientConnection?, isLimited: Bool = true) {
        waiting.add(task, on: connection, isLimited: isLimited)
    }

    /// Functions that were spawned by an old version have as long as any event to come to their end.
    func limitSpawnedOfOldVersions() {
        for task in waiting.tasks where engine.isSpawnedByOldVersion(task) { waiting.limit(task) }
    }

    /// Ends the wait of an event whose connection is closed.
    func cancelWait(of task: ScriptTask) {
        waiting.cancelOperation(of: task)
        if let resumption = engine.cancel(task) { proceed(task, resumption) }
    }

    /// Ends all waits, each when its turn comes.
    func cancelAllWaits() {
        for task in waiting.tasks {
            waiting.markCancelled(task)
            putOff(.cancelled(task))
        }
    }

    /// Ends all waits at once, because the loop ends. Those that are left after a while end unheard, with the Lua state.
    func endAllWaits() {
        let end = clinux_monotonic_nanoseconds() + Self.lastWords
        for task in waiting.tasks where clinux_monotonic_nanoseconds() < end { cancelWait(of: task) }
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
            if let question = retire(task)?.question { settle(question, reply) }
        case .event(let event, let outcome):
            conclude(event, outcome, on: retire(task)?.connection)
        case .upgrade(_, let outcome):
            retire(task)?.connection?.decided(outcome)
        }
    }

    /// Forgets an event that has ended.
    private func retire(_ task: ScriptTask) -> WaitingHandlers.Ended? {
        let ended = waiting.remove(task)
        if let timer = ended?.timer { timers.endWait(of: timer) }
        return ended
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
        guard !timers.isWaiting(id) else { return }
        let outcome = engine.fireTimer(id)
        performAlone(outcome)
        guard case .waiting(let task) = outcome else { return }
        timers.beginWait(of: id)
        waiting.note(timer: id, of: task)
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
        guard slowPlaces.isDue(place, at: loop.now) else { return }
        log.warning(
            "a handler took more than \(node.configuration.scripts.warning.milliseconds) ms of CPU; it was at \(place)",
            metadata: ["traceback": "\(traceback)", "version": "\(engine.version)"])
    }
}

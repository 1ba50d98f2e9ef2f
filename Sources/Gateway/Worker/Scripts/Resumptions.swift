// Handlers go on after a wait. A connection's events run one at a time: while one waits, the next ones queue, and the worker goes
// on with other connections. An event waits for an operation of the worker's loop, whose end resumes it.
//
// Runs on: the worker's thread.
// Read next: WaitingHandlers.swift, ../Connections/ClientConnection+Turns.swift, Scripting/Engine/ScriptEngine+Waiting.swift.

import CLinux
import EventLoop
import Scripting
import Settings

/// Resumes a worker's waiting handlers, or ends their waits.
final class Resumptions {
    // The worker owns its resumptions.
    private unowned(unsafe) let worker: Worker

    init(of worker: Worker) { self.worker = worker }

    private var waiting: WaitingHandlers { worker.waiting }

    // MARK: Waits that end

    /// An operation is over: the handler goes on.
    func finish(_ ticket: WaitTicket, with answer: WaitAnswer) {
        if waiting.end(ticket) { worker.rotation.take(.answered(ticket, answer)) }
    }

    /// The event of a wait that has ended goes on; false when that event has ended otherwise meanwhile.
    func goOn(_ wait: EndedWait) -> Bool {
        worker.turns.slice.beginSource()
        switch wait {
        case .answered(let ticket, let answer):
            guard let resumption = worker.engine.resume(ticket, with: answer) else { return false }
            proceed(ticket.task, resumption)
        case .timedOut(let task):
            guard waiting.takeLateness(of: task) else { return false }
            waiting.cancelOperation(of: task)
            if let resumption = worker.engine.timeOut(task) { proceed(task, resumption) }
        case .cancelled(let task):
            guard waiting.isCancelled(task) else { return false }
            cancel(task)
        }
        return true
    }

    // MARK: Waits that are ended

    /// Ends the wait of an event whose connection is closed.
    func cancel(_ task: ScriptTask) {
        waiting.cancelOperation(of: task)
        if let resumption = worker.engine.cancel(task) { proceed(task, resumption) }
    }

    /// Ends all waits, each when its turn comes.
    func cancelAll() {
        for task in waiting.tasks {
            waiting.markCancelled(task)
            worker.rotation.putOff(.cancelled(task))
        }
    }

    /// Ends all waits at once, because the loop ends. Those that are left after a while end unheard, with the Lua state.
    func endAll() {
        let end = clinux_monotonic_nanoseconds() + Self.lastWords
        for task in waiting.tasks where clinux_monotonic_nanoseconds() < end { cancel(task) }
    }

    /// Nanoseconds that the waiting handlers of a worker have in all when it ends.
    private static let lastWords: UInt64 = 1_000_000_000

    /// Functions that were spawned by an old version have as long as any event to come to their end.
    func limitSpawnedOfOldVersions() {
        for task in waiting.tasks where worker.engine.isSpawnedByOldVersion(task) { waiting.limit(task) }
    }

    // MARK: The outcome

    private func proceed(_ task: ScriptTask, _ resumption: Resumption) {
        switch resumption {
        case .event(let event, _), .upgrade(let event, _), .reply(let event, _): worker.turns.note(.resumed(event))
        }
        switch resumption {
        case .event(_, .waiting), .upgrade(_, .waiting), .reply(_, .waiting):
            return
        case .reply(_, let reply):
            if let question = retire(task)?.question { worker.questions.settle(question, reply) }
        case .event(let event, let outcome):
            conclude(event, outcome, on: retire(task)?.connection)
        case .upgrade(_, let outcome):
            retire(task)?.connection?.decided(outcome)
        }
    }

    /// Forgets an event that has ended.
    private func retire(_ task: ScriptTask) -> WaitingHandlers.Ended? {
        let ended = waiting.remove(task)
        if let timer = ended?.timer { worker.functions.endWait(ofTimer: timer) }
        return ended
    }

    private func conclude(_ event: SuspendedEvent, _ outcome: EventOutcome, on connection: ClientConnection?) {
        guard let connection else {
            if case .failed(let error) = outcome { worker.reports.note(error, on: nil) }
            return
        }
        if case .handler(.close, _) = event.work {
            if case .failed(let error) = outcome { worker.reports.note(error, on: connection) }
            return worker.endLingering(connection)
        }
        connection.isBusy = false
        worker.perform(outcome, on: connection)
        if worker.turns.slice.isOver, let pending = connection.extras?.value.pending,
            connection.yields(before: pending)
        {
            return
        }
        connection.runPendingEvents()
    }
}

// The rotation: the work that finds the slice of its turn used up, and that goes on in later turns. Timers, ended waits and
// questions come through here, and run at once while the slice lasts and none of their kind waits.
//
// Runs on: the worker's thread.
// Read next: DeferredWork.swift, ../Connections/ClientConnection+Turns.swift.

import EventLoop
import Logging
import Scripting
import Settings

/// Runs a worker's deferred work, one source after the other.
final class Rotation {
    // The worker owns its rotation.
    private unowned(unsafe) let worker: Worker
    private let turns: FairTurns
    private var work = DeferredWork()
    /// Whether something was left over when the last turn ended.
    private var hasLeftOver = false
    /// When the backlog is looked at again for the log, in milliseconds of the loop's clock.
    private var nextLook: UInt64 = 0

    init(of worker: Worker) {
        self.worker = worker
        turns = worker.turns
    }

    // MARK: Now or later

    /// Whether an event is to wait for its turn: the slice is used up, or others of its source wait already.
    private func mustWait(behind others: Bool) -> Bool { others || turns.slice.isOver }

    private func hasWork() { worker.loop.hasWork = true }

    /// A timer is due.
    func take(_ timer: DueTimer) {
        guard mustWait(behind: !work.timers.isEmpty) else {
            _ = worker.functions.fire(timer)
            return
        }
        work.append(timer, at: worker.loop.now)
        hasWork()
    }

    /// A wait has ended.
    func take(_ wait: EndedWait) {
        guard mustWait(behind: !work.waits.isEmpty) else {
            _ = worker.resumptions.goOn(wait)
            return
        }
        putOff(wait)
    }

    /// A question of a backend has come.
    func take(_ question: DeferredQuestion) {
        guard mustWait(behind: !work.questions.isEmpty) else {
            _ = worker.questions.ask(question)
            return
        }
        if let reply = question.reply, work.questions.count >= worker.node.configuration.scripts.maxWaiting {
            return worker.replies.answer(reply, .overloaded)
        }
        work.append(question, at: worker.loop.now)
        hasWork()
    }

    /// The wait's event goes on in a later turn.
    func putOff(_ wait: EndedWait) {
        work.append(wait, at: worker.loop.now)
        hasWork()
    }

    /// The connection has input or events left over.
    func putOff(_ connection: ClientConnection, isFavoured: Bool) {
        work.append(connection.handle, at: worker.loop.now, isFavoured: isFavoured)
        hasWork()
    }

    /// Functions of `server.spawn` are left over.
    func putOffSpawned() {
        work.appendSpawned(at: worker.loop.now)
        hasWork()
    }

    /// The places of the answers to questions that wait for their turn.
    var openReplies: [Reply<ScriptAnswer>] { work.questions.compactMap(\.reply) }

    // MARK: Turns

    /// Goes on with the work that was left over: at least one event, and more until the slice is used up. In a turn that has
    /// used its slice up already, only work of earlier turns goes on: else one client's events would run twice before others
    /// are read.
    func advance() {
        var visits = turns.slice.isOver && !hasLeftOver ? 0 : work.sourceCount
        while visits > 0, !worker.shutdown.hasEnded, let source = work.beginVisit() {
            visits -= 1
            let visit = visit(source)
            work.endVisit(hasMore: visit.hasMore)
            // An event that was cancelled since it was put off has used nothing of the turn.
            if visit.hasRun && turns.slice.isOver { break }
        }
        hasLeftOver = !work.isEmpty
        worker.loop.hasWork = !(work.isEmpty && worker.walks.isEmpty) && !worker.shutdown.hasEnded
        report()
    }

    /// Answers whether something has run, and whether a source that several share has more.
    private func visit(_ source: DeferredWork.Source) -> (hasRun: Bool, hasMore: Bool) {
        switch source {
        case .connection(let handle):
            return (worker.connections[handle]?.takeTurn() ?? false, false)
        case .timers:
            return (visit { work.nextTimer().map(worker.functions.fire) }, !work.timers.isEmpty)
        case .spawned:
            worker.functions.runSpawned()
            return (true, worker.functions.hasBatch)
        case .waits:
            return (visit { work.nextWait().map(worker.resumptions.goOn) }, !work.waits.isEmpty)
        case .questions:
            return (visit { work.nextQuestion().map(worker.questions.ask) }, !work.questions.isEmpty)
        }
    }

    /// Goes on until something has run and the slice is used up; whether something has run.
    /// - Parameter next: takes the next one, nil when there is none; whether it ran, or was cancelled.
    private func visit(_ next: () -> Bool?) -> Bool {
        var hasRun = false
        while let runs = next() {
            hasRun = hasRun || runs
            if hasRun && turns.slice.isOver { break }
        }
        return hasRun
    }

    // MARK: Reports

    var backlog: BacklogCounts {
        var counts = BacklogCounts()
        counts.connections = work.connectionCount
        counts.timers = work.timers.count
        counts.spawned = worker.engine.spawnedCount
        counts.waits = work.waits.count
        counts.questions = work.questions.count
        counts.age = work.oldest.map { worker.loop.now - min(worker.loop.now, $0) } ?? 0
        return counts
    }

    /// Tells the log, once a minute, which place in a script keeps others waiting.
    private func report() {
        let now = worker.loop.now
        guard worker.loop.hasWork, now >= nextLook else { return }
        nextLook = now + BacklogCauses.age
        let backlog = backlog
        guard let cause = turns.cause(ofBacklog: backlog.age) else { return }
        worker.log.warning(
            "scripts have more to do than their slice of a turn, most of it at \(cause.place)",
            metadata: [
                "milliseconds": "\(cause.milliseconds)", "waiting": "\(backlog.total)",
                "ageMilliseconds": "\(backlog.age)", "version": "\(worker.engine.version)",
            ])
    }
}

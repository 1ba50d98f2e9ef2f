// The functions of scripts that are about no connection: timers and spawned functions.
//
// Runs on: the worker's thread.
// Read next: ScriptTimers.swift, ../FairTurns/Rotation.swift.

import EventLoop
import Scripting

/// Calls the functions of a worker's scripts that no connection and no backend asks for.
final class ScriptFunctions {
    // The worker owns its functions.
    private unowned(unsafe) let worker: Worker
    private let timers: ScriptTimers
    /// Functions of `server.spawn` that are to be called before those which they spawn.
    private var spawnBatch = 0
    private var isSpawnScheduled = false

    init(of worker: Worker) {
        self.worker = worker
        timers = ScriptTimers(on: worker.loop) { [unowned worker] timer in worker.functions.isDue(timer) }
    }

    /// An event that is about no connection has run.
    func perform(_ outcome: EventOutcome, isLimited: Bool = true) {
        switch outcome {
        case .done, .closeRequested: break
        case .waiting(let task): worker.waiting.add(task, on: nil, isLimited: isLimited)
        case .failed(let error): worker.reports.note(error, on: nil)
        }
    }

    // MARK: Timers

    /// Sets a timer, in place of the one that has its number. Times are milliseconds.
    func setTimer(_ id: Int32, after delay: UInt64, every period: UInt64?) {
        timers.set(id, after: delay, every: period)
    }

    func cancelTimer(_ id: Int32) { timers.cancel(id) }

    private func isDue(_ timer: DueTimer) {
        // Another timer of this turn may have cancelled it, or armed it anew, when it was on its way already.
        if timers.isCurrent(timer) { worker.rotation.take(timer) }
    }

    /// Runs a timer that is due; false when it was cancelled while it waited for its turn.
    func fire(_ timer: DueTimer) -> Bool {
        guard timers.take(timer) else { return false }
        if timer.period == nil { perform(worker.engine.fireTimer(timer.id)) } else { callAgain(timer.id) }
        worker.turns.note(.function)
        return true
    }

    /// A repeating timer is due. One whose function still waits passes this time by.
    private func callAgain(_ id: Int32) {
        guard !timers.isWaiting(id) else { return }
        let outcome = worker.engine.fireTimer(id)
        perform(outcome)
        guard case .waiting(let task) = outcome else { return }
        timers.beginWait(of: id)
        worker.waiting.note(timer: id, of: task)
    }

    /// The function of a repeating timer has ended after a wait.
    func endWait(ofTimer id: Int32) { timers.endWait(of: id) }

    // MARK: Spawned functions

    /// Whether functions of the present batch are left.
    var hasBatch: Bool { spawnBatch > 0 }

    /// A script has spawned a function.
    func spawned() {
        guard !isSpawnScheduled else { return }
        isSpawnScheduled = true
        worker.loop.schedule(after: 0) { [unowned self] in beginBatch() }
    }

    private func beginBatch() {
        isSpawnScheduled = false
        guard spawnBatch == 0 else { return }
        spawnBatch = worker.engine.spawnedCount
        if !worker.turns.slice.isOver { runSpawned() }
        if spawnBatch > 0 { worker.rotation.putOffSpawned() }
    }

    /// Runs the functions of the present batch until the slice is used up. Those that they spawn are the next batch, a millisecond
    /// later, so that a function that spawns itself keeps no worker busy by that alone.
    func runSpawned() {
        while spawnBatch > 0 {
            spawnBatch -= 1
            if let outcome = worker.engine.runNextSpawned() { perform(outcome, isLimited: false) }
            worker.turns.note(.function)
            if worker.turns.slice.isOver { break }
        }
        if spawnBatch == 0, worker.engine.spawnedCount > 0 { spawned() }
    }
}

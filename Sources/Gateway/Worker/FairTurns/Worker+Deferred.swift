// Fair turns at work: what runs scripts notes what it used, and what finds the slice used up goes into the rotation, from which it
// goes on in the next turns, after every ready socket was read and written.
//
// Read next: ../../Clients/ClientConnection+Deferred.swift.

import CLinux
import EventLoop
import Logging
import Scripting
import Settings

/// Where an event ran, for reports.
enum ScriptPlace {
    case handler(ScriptHandler, ScriptID)
    /// The function that a timer or `server.spawn` has called last.
    case function
    /// An event that went on after a wait.
    case resumed(SuspendedEvent)
}

extension Worker {
    // MARK: After an event

    /// An event has run; whether its source has to let others go on.
    @inline(__always)
    func mustYield(_ handler: ScriptHandler, _ script: ScriptID) -> Bool {
        guard turns.slice.hasTicked(clinux_coarse_nanoseconds()) else { return turns.slice.isFarOver }
        return measure(.handler(handler, script))
    }

    /// An event has run, whose source has nothing more just now.
    func noteEvent(_ place: @autoclosure () -> ScriptPlace) {
        if turns.slice.hasTicked(clinux_coarse_nanoseconds()) { _ = measure(place()) }
    }

    /// Reads the clocks between two sources.
    func measureSlice() { _ = turns.measure(turnStart: loop.turnStart) }

    /// Reads the clocks, because the event that has just run took long enough to matter; whether the slice is used up.
    private func measure(_ place: ScriptPlace) -> Bool {
        let spent = turns.measure(turnStart: loop.turnStart)
        if turns.slice.isOver { turns.causes.note(text(of: place), spent, at: loop.now) }
        return turns.slice.isOver
    }

    private func text(of place: ScriptPlace) -> String {
        switch place {
        case .handler(let handler, let script): "\(engine.name(of: script)).lua:\(handler.name)"
        case .function: engine.lastFunctionPlace
        case .resumed(let event):
            if case .handler(let handler, let script) = event.work {
                text(of: .handler(handler, script))
            } else {
                event.functionPlace ?? event.work.name
            }
        }
    }

    // MARK: Putting off

    /// Whether an event is to wait for its turn: the slice is used up, or others of its source wait already.
    private func mustWait(behind others: Bool) -> Bool { others || turns.slice.isOver }

    /// A timer is due.
    func timerIsDue(_ timer: DueTimer) {
        // Another timer of this turn may have cancelled it, or armed it anew, when it was on its way already.
        guard timers.isCurrent(timer) else { return }
        guard mustWait(behind: !turns.work.timers.isEmpty) else {
            _ = fire(timer)
            return
        }
        turns.work.append(timer, at: loop.now)
        loop.hasWork = true
    }

    /// A wait has ended.
    func waitHasEnded(_ wait: EndedWait) {
        guard mustWait(behind: !turns.work.waits.isEmpty) else {
            _ = goOn(wait)
            return
        }
        putOff(wait)
    }

    /// The wait's event goes on in a later turn.
    func putOff(_ wait: EndedWait) {
        turns.work.append(wait, at: loop.now)
        loop.hasWork = true
    }

    /// A question of a backend has come.
    func isAsked(_ question: DeferredQuestion) {
        guard mustWait(behind: !turns.work.questions.isEmpty) else {
            _ = ask(question)
            return
        }
        if let reply = question.reply, turns.work.questions.count >= node.configuration.scripts.maxWaiting {
            return answer(reply, .overloaded)
        }
        turns.work.append(question, at: loop.now)
        loop.hasWork = true
    }

    /// The connection has input or events left over.
    func putOff(_ connection: ClientConnection, isFavoured: Bool) {
        turns.work.append(connection.handle, at: loop.now, isFavoured: isFavoured)
        loop.hasWork = true
    }

    // MARK: Spawned functions

    package func spawned() {
        guard !turns.isSpawnScheduled else { return }
        turns.isSpawnScheduled = true
        loop.schedule(after: 0) { [unowned self] in beginSpawned() }
    }

    private func beginSpawned() {
        turns.isSpawnScheduled = false
        guard turns.spawnBatch == 0 else { return }
        turns.spawnBatch = engine.spawnedCount
        if !turns.slice.isOver { runSpawned() }
        guard turns.spawnBatch > 0 else { return }
        turns.work.appendSpawned(at: loop.now)
        loop.hasWork = true
    }

    /// Runs the functions of the present batch until the slice is used up. What they spawn is the next batch, a millisecond
    /// later, so that a function that spawns itself keeps no worker busy by that alone.
    private func runSpawned() {
        while turns.spawnBatch > 0 {
            turns.spawnBatch -= 1
            if let outcome = engine.runNextSpawned() { performAlone(outcome, isLimited: false) }
            noteEvent(.function)
            if turns.slice.isOver { break }
        }
        if turns.spawnBatch == 0, engine.spawnedCount > 0 { spawned() }
    }

    // MARK: The rotation

    /// Goes on with what was left over: at least one event, and more until the slice is used up. In a turn that has used its slice
    /// up already, only what an earlier turn has left over goes on: else one client's events would run twice before others are read.
    func runDeferred() {
        advanceWalks()
        var visits = turns.slice.isOver && !turns.hasLeftOver ? 0 : turns.work.sourceCount
        while visits > 0, !hasEnded, let source = turns.work.beginVisit() {
            visits -= 1
            let visit = visit(source)
            turns.work.endVisit(hasMore: visit.hasMore)
            // What has been cancelled since it was put off is nobody's turn.
            if visit.hasRun && turns.slice.isOver { break }
        }
        turns.hasLeftOver = !turns.work.isEmpty
        loop.hasWork = !(turns.work.isEmpty && walks.isEmpty) && !hasEnded
        reportBacklog()
    }

    /// Answers whether something has run, and whether a source that several share has more.
    private func visit(_ source: DeferredWork.Source) -> (hasRun: Bool, hasMore: Bool) {
        switch source {
        case .connection(let handle):
            return (connection(handle)?.takeTurn() ?? false, false)
        case .timers:
            return (visit { turns.work.nextTimer().map(fire) }, !turns.work.timers.isEmpty)
        case .spawned:
            runSpawned()
            return (true, turns.spawnBatch > 0)
        case .waits:
            return (visit { turns.work.nextWait().map(goOn) }, !turns.work.waits.isEmpty)
        case .questions:
            return (visit { turns.work.nextQuestion().map(ask) }, !turns.work.questions.isEmpty)
        }
    }

    /// Goes on until something has run and the slice is used up; whether something has run.
    /// - Parameter next: takes the next one, nil when there is none; whether it ran, or was nobody's any more.
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
        counts.connections = turns.work.connectionCount
        counts.timers = turns.work.timers.count
        counts.spawned = engine.spawnedCount
        counts.waits = turns.work.waits.count
        counts.questions = turns.work.questions.count
        counts.age = turns.work.oldest.map { loop.now - min(loop.now, $0) } ?? 0
        return counts
    }

    /// Tells the log, once a minute, which place in a script keeps others waiting.
    private func reportBacklog() {
        guard loop.hasWork, loop.now >= turns.nextLook else { return }
        turns.nextLook = loop.now + BacklogCauses.age
        let backlog = backlog
        guard turns.causes.isDue(age: backlog.age, at: loop.now), let cause = turns.causes.report(at: loop.now) else {
            return
        }
        log.warning(
            "scripts have more to do than their slice of a turn, most of it at \(cause.place)",
            metadata: [
                "milliseconds": "\(cause.milliseconds)", "waiting": "\(backlog.total)",
                "ageMilliseconds": "\(backlog.age)", "version": "\(engine.version)",
            ])
    }
}

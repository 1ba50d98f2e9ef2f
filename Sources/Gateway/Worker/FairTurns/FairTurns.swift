// A worker's fair turns: the slice of CPU that its scripts have in a turn, and the places that used it up. Each event is measured;
// work behind a used slice goes into the rotation, and goes on in the next turns, after every ready socket was read and
// written.
//
// Runs on: the worker's thread.
// Read next: TurnSlice.swift, Rotation.swift, ../Connections/ClientConnection+Turns.swift.

import CLinux
import EventLoop
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

/// The use that a worker's scripts make of its turns.
final class FairTurns {
    // Each event asks it; one thread, and nothing calls back.
    @exclusivity(unchecked) var slice: TurnSlice
    private unowned(unsafe) let loop: EventLoop
    private var causes = BacklogCauses()
    /// Turns in which the slice was used up.
    private(set) var slicesUsed: UInt64 = 0
    /// The text of a place, for reports; the engine knows it.
    var describe: (ScriptPlace) -> String = { _ in "" }

    init(slice: Duration, on loop: EventLoop) {
        self.loop = loop
        self.slice = TurnSlice(
            length: slice.milliseconds * 1_000_000, cpu: clinux_thread_cpu_nanoseconds(),
            coarseTick: clinux_coarse_tick_nanoseconds())
    }

    /// An event has run; whether its source has to let others go on.
    @inline(__always)
    func mustYield(_ handler: ScriptHandler, _ script: ScriptID) -> Bool {
        guard slice.hasTicked(clinux_coarse_nanoseconds()) else { return slice.isFarOver }
        return measure(.handler(handler, script))
    }

    /// An event has run, whose source has nothing more just now.
    func note(_ place: @autoclosure () -> ScriptPlace) {
        if slice.hasTicked(clinux_coarse_nanoseconds()) { _ = measure(place()) }
    }

    /// Reads the clocks, because the event that has just run took long enough to matter; whether the slice is used up.
    private func measure(_ place: ScriptPlace) -> Bool {
        let spent = measure()
        if slice.isOver { causes.note(describe(place), spent, at: loop.now) }
        return slice.isOver
    }

    /// Reads the clocks; answers the nanoseconds of CPU that were used since they were last read.
    @discardableResult
    func measure() -> UInt64 {
        let wasOver = slice.isOver
        let spent = slice.measure(
            cpu: clinux_thread_cpu_nanoseconds(), wall: clinux_monotonic_nanoseconds() &- loop.turnStart)
        if slice.isOver && !wasOver { slicesUsed += 1 }
        return spent
    }

    /// The place to report for a backlog of this age, once a minute.
    func cause(ofBacklog age: UInt64) -> (place: String, milliseconds: UInt64)? {
        causes.isDue(age: age, at: loop.now) ? causes.report(at: loop.now) : nil
    }
}

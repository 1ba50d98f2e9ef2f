// A worker's fair turns: the slice of CPU that its scripts have in a turn, what was left over, and whose events used it up.
//
// Runs on: the worker's thread.
// Read next: TurnSlice.swift, DeferredWork.swift, Worker+Deferred.swift.

import CLinux
import Settings

/// What a worker keeps about its turns.
final class FairTurns {
    // Each event asks it; one thread, and nothing calls back.
    @exclusivity(unchecked) var slice: TurnSlice
    var work = DeferredWork()
    var causes = BacklogCauses()
    /// Whether something was left over when the last turn ended.
    var hasLeftOver = false
    /// Functions of `server.spawn` that are to be called before those which they spawn.
    var spawnBatch = 0
    var isSpawnScheduled = false
    /// When the backlog is looked at again for the log, in milliseconds of the loop's clock.
    var nextLook: UInt64 = 0
    /// Turns in which the slice was used up.
    private(set) var slicesUsed: UInt64 = 0

    init(slice: Duration) {
        self.slice = TurnSlice(
            length: slice.milliseconds * 1_000_000, cpu: clinux_thread_cpu_nanoseconds(),
            coarseTick: clinux_coarse_tick_nanoseconds())
    }

    /// Reads the clocks; answers what was used since they were last read.
    func measure(turnStart: UInt64) -> UInt64 {
        let wasOver = slice.isOver
        let spent = slice.measure(
            cpu: clinux_thread_cpu_nanoseconds(), wall: clinux_monotonic_nanoseconds() &- turnStart)
        if slice.isOver && !wasOver { slicesUsed += 1 }
        return spent
    }
}

/// The work that waits for its turn, as the admin API shows it.
struct BacklogCounts: Sendable {
    /// Connections whose input, events or end wait.
    var connections = 0
    var timers = 0
    /// Functions of `server.spawn`, those that the present ones have spawned included.
    var spawned = 0
    /// Handlers that have waited and could go on.
    var waits = 0
    /// Pushes and calls of backends.
    var questions = 0
    /// How long a source has had work left over without a break, the longest of all, in milliseconds.
    var age: UInt64 = 0

    var total: Int { connections + timers + spawned + waits + questions }
}

// The timers of a worker's scripts: each is a timer of the loop, and one that repeats is armed again when its function is called.
//
// Runs on: the worker's thread.
// Allocates: an entry for each timer that is set.
// Read next: ScriptFunctions.swift.

import EventLoop

/// A timer that was due.
struct DueTimer {
    let id: Int32
    /// The timer of the loop that has fired. Another one in its place means that this one was cancelled.
    let armed: TimerID
    let due: UInt64
    let period: UInt64?
}

/// The timers that are set, by the numbers that the script host gave them.
final class ScriptTimers {
    private unowned let loop: EventLoop
    private let isDue: (DueTimer) -> Void
    private var armed: [Int32: TimerID] = [:]
    /// Repeating timers whose functions wait: until those have ended, they are not called again.
    private var waiting: Set<Int32> = []

    /// - Parameter isDue: called when the time of a timer has come; `take` then says whether its function is to run.
    init(on loop: EventLoop, isDue: @escaping (DueTimer) -> Void) {
        self.loop = loop
        self.isDue = isDue
    }

    /// Sets a timer, in place of the one that has its number.
    /// - Parameters:
    ///   - delay: milliseconds until it is due.
    ///   - period: milliseconds from one time to the next; nil for a timer that does not repeat.
    func set(_ id: Int32, after delay: UInt64, every period: UInt64?) {
        cancel(id)
        arm(id, due: loop.now + delay, period: period)
    }

    /// Cancels a timer if it is set.
    func cancel(_ id: Int32) {
        if let timer = armed.removeValue(forKey: id) { loop.cancel(timer) }
    }

    /// Whether a timer that was due has been neither cancelled nor set again since.
    func isCurrent(_ timer: DueTimer) -> Bool { armed[timer.id] == timer.armed }

    /// Takes a timer whose function is to run now. A periodic one is armed again: it keeps its phase, and skips what it has
    /// missed. False when the timer is not current any more.
    func take(_ timer: DueTimer) -> Bool {
        guard isCurrent(timer) else { return false }
        armed[timer.id] = nil
        if let period = timer.period {
            let missed = (loop.now - min(loop.now, timer.due)) / period
            arm(timer.id, due: timer.due + (missed + 1) * period, period: period)
        }
        return true
    }

    private func arm(_ id: Int32, due: UInt64, period: UInt64?) {
        var timer: TimerID?
        timer = loop.schedule(after: due - min(due, loop.now)) { [unowned self] in
            if let timer { isDue(DueTimer(id: id, armed: timer, due: due, period: period)) }
        }
        armed[id] = timer
    }

    // MARK: Functions that wait

    /// Whether the function of a repeating timer waits since an earlier time.
    func isWaiting(_ id: Int32) -> Bool { waiting.contains(id) }

    /// The function of a repeating timer begins to wait.
    func beginWait(of id: Int32) { waiting.insert(id) }

    /// The function of a repeating timer has ended.
    func endWait(of id: Int32) { waiting.remove(id) }
}

// Timers that go by the calendar: when they are armed, and the effect of setting the clock.

import Synchronization
import Testing

@testable import Scripting

@Suite("cron timers", .bounded)
struct CronTimerTests {
    /// A clock that a test sets.
    private final class Clock: Sendable {
        let seconds = Mutex(0.0)
        var now: Double {
            get { seconds.withLock { $0 } }
            set { seconds.withLock { $0 = newValue } }
        }
    }

    private let clock = Clock()
    private let stage: Stage

    init() throws {
        var options = ScriptOptions()
        options.wallClock = { [clock] in clock.now }
        clock.now = 1_000_000_020  // 13 seconds of a minute are over, and 46 of an hour
        stage = try Stage(options: options)
        try stage.load(["main": "server.cron('c', '*/5 * * * *', function() server.broadcast('due') end)"])
    }

    private var armed: [Double] {
        stage.host.calls.compactMap { if case .setTimer(1, let delay, nil, "c") = $0 { delay } else { nil } }
    }

    private var fired: Int { stage.host.calls.count { $0 == .broadcast("due", binary: false) } }

    /// Fires timers as the loop would, until the clock shows `time`.
    private func run(until time: Double) {
        var wakes = clock.now + (armed.last ?? 0)
        while wakes <= time {
            clock.now = wakes
            #expect(stage.engine.fireTimer(1).isDone)
            wakes += armed.last ?? 0
        }
    }

    @Test("is due on every minute and never sleeps longer than a minute")
    func onTheMinute() {
        #expect(armed == [60])
        run(until: 1_000_000_199)
        #expect(fired == 0)
        run(until: 1_000_000_200)
        #expect(fired == 1)
        run(until: 1_000_000_800)
        #expect(fired == 3)
        #expect(armed.allSatisfy { $0 <= 60 })
    }

    @Test("a loop that is a millisecond early fires it once, not twice")
    func early() {
        clock.now = 1_000_000_199.999
        #expect(stage.engine.fireTimer(1).isDone)
        #expect(fired == 1)
        run(until: 1_000_000_499)
        #expect(fired == 1)
    }

    @Test("a clock that is set forward or back moves the due time with it")
    func clockIsSet() {
        clock.now += 100_000
        #expect(stage.engine.fireTimer(1).isDone)
        #expect(fired == 1)
        clock.now = 1_000_000_020
        #expect(stage.engine.fireTimer(1).isDone)
        #expect(fired == 1)
        run(until: 1_000_000_200)
        #expect(fired == 2)
    }

    @Test("a reload with the same schedule keeps it armed and runs the new code")
    func reload() throws {
        let before = stage.host.calls
        try stage.load(
            ["main": "server.cron('c', '0-59/5 * * * *', function() server.broadcast('new') end)"], version: 2)
        #expect(stage.host.calls == before)
        run(until: 1_000_000_200)
        #expect(stage.host.calls.contains(.broadcast("new", binary: false)))
        try stage.load(["main": "server.cron('c', '@hourly', print)"], version: 3)
        #expect(armed.last == 60)
        try stage.load(["main": "server.every('c', 7, print)"], version: 4)
        #expect(stage.host.calls.last == .setTimer(1, 7, every: 7, name: "c"))
        try stage.load(["main": ""], version: 5)
        #expect(stage.host.calls.last == .cancelTimer(1))
    }

    /// The old timer goes on.
    @Test("a mistake in a declaration fails the load")
    func mistake() throws {
        let errors = try stage.prepare(["main": "\nserver.cron('c', '0 25 * * *', print)"], version: 2).errors
        #expect(errors.map(\.summary) == ["main.lua:2: server.cron: hour: '25' is not 0 to 23"])
        run(until: 1_000_000_200)
        #expect(fired == 1)
    }

    @Test("a handover to another process neither skips nor repeats a due time", arguments: [false, true])
    func handover(hasFired: Bool) throws {
        run(until: 1_000_000_200)
        clock.now = 1_000_000_500.3
        if hasFired { #expect(stage.engine.fireTimer(1).isDone) }
        #expect(fired == (hasFired ? 2 : 1))
        let ranUntil = stage.engine.handOverNamedTimers()
        #expect(ranUntil == (hasFired ? 1_000_000_500 : 1_000_000_499))
        var options = ScriptOptions()
        options.wallClock = { [clock] in clock.now }
        options.holdsNamedTimers = true
        let other = try Stage(options: options)
        try other.load(["main": "server.cron('c', '*/5 * * * *', function() server.broadcast('due') end)"])
        #expect(other.host.calls.isEmpty)
        clock.now += 0.2
        other.engine.takeOverNamedTimers(ranUntil: ranUntil)
        #expect(other.host.calls == [.setTimer(1, hasFired ? 60 : 0, every: nil, name: "c")])
        #expect(other.engine.fireTimer(1).isDone)
        #expect(other.host.calls.count { $0 == .broadcast("due", binary: false) } == (hasFired ? 0 : 1))
    }
}

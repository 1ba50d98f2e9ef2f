// The wheel compared with a sorted list, and the borders between its levels.

import SeededGenerator
import Testing

@testable import EventLoop

@Suite("TimerWheel", .bounded)
struct TimerWheelTests {
    /// Delays around the borders of the wheel's levels: 64 ms, 4.1 s, 4.4 min, 4.7 h.
    static let delays: [UInt64] =
        [1, 2, 63, 64, 65, 100, 127, 128] + [4095, 4096, 4097, 5000] + [262_143, 262_144, 262_145]
        + [16_777_215, 16_777_216, 16_777_217, 40_000_000]

    @Test("fires in its millisecond, with any steps of the clock", arguments: delays)
    func exact(_ delay: UInt64) {
        for start in [0, 1, 63, 64, 4095, 1_000_003] as [UInt64] {
            for step in [delay, max(1, delay / 2), max(1, delay / 3)] {
                var wheel = TimerWheel(now: start)
                var actions: [() -> Void] = []
                _ = wheel.add(due: start + delay) {}
                var time = start
                while time + step < start + delay {
                    time += step
                    wheel.advance(to: time, into: &actions)
                }
                wheel.advance(to: start + delay - 1, into: &actions)
                #expect(actions.isEmpty, "start \(start), step \(step)")
                wheel.advance(to: start + delay, into: &actions)
                #expect(actions.count == 1, "start \(start), step \(step)")
                #expect(wheel.count == 0)
                #expect(wheel.nextDue == nil)
            }
        }
    }

    @Test("a due time that is past or present fires with the next millisecond")
    func past() {
        var wheel = TimerWheel(now: 1000)
        var actions: [() -> Void] = []
        _ = wheel.add(due: 0) {}
        _ = wheel.add(due: 1000) {}
        #expect(wheel.nextDue == 1001)
        wheel.advance(to: 1001, into: &actions)
        #expect(actions.count == 2)
    }

    @Test("actions come in the order of due times, then of their setting")
    func order() {
        var wheel = TimerWheel(now: 0)
        var actions: [() -> Void] = []
        var fired: [String] = []
        // The first two wait in upper levels, while the later ones for the same millisecond go straight to the lowest.
        _ = wheel.add(due: 5000) { fired.append("5000, set at 0") }
        _ = wheel.add(due: 5000) { fired.append("5000, set at 0 as well") }
        wheel.advance(to: 4900, into: &actions)
        _ = wheel.add(due: 5000) { fired.append("5000, set at 4900") }
        wheel.advance(to: 4950, into: &actions)
        _ = wheel.add(due: 5000) { fired.append("5000, set at 4950") }
        _ = wheel.add(due: 4990) { fired.append("4990") }
        wheel.advance(to: 6000, into: &actions)
        for action in actions { action() }
        #expect(
            fired == [
                "4990", "5000, set at 0", "5000, set at 0 as well", "5000, set at 4900", "5000, set at 4950",
            ])
    }

    /// A used-up ID cancels no other.
    @Test("a cancelled timer never fires")
    func cancel() {
        var wheel = TimerWheel(now: 0)
        var actions: [() -> Void] = []
        let first = wheel.add(due: 10) {}
        let cancelled = [wheel.cancel(first), wheel.cancel(first)]
        #expect(cancelled == [true, false])
        #expect(wheel.nextDue == nil)
        let second = wheel.add(due: 10) {}
        #expect(second != first)
        let cancelledByOldName = wheel.cancel(first)
        #expect(!cancelledByOldName)
        wheel.advance(to: 10, into: &actions)
        #expect(actions.count == 1)
        let cancelledAfterFiring = wheel.cancel(second)
        #expect(!cancelledAfterFiring)
    }

    @Test("agrees with a sorted list over ten hours", arguments: 0..<6)
    func fuzz(_ seed: Int) {
        var run = WheelRun(seed: UInt64(seed))
        while run.now < 36_000_000 { run.step() }
        #expect(run.fired == run.expected)
        #expect(run.fired.count > 500)
        #expect(run.isEarlyEnough)
    }
}

/// A wheel and a sorted list as its reference.
private struct WheelRun {
    private struct Timer {
        let due: UInt64
        let number: Int
        let id: TimerID
    }

    private final class Fired { var numbers: [Int] = [] }

    private var generator: SeededGenerator
    private var wheel: TimerWheel
    private var waiting: [Timer] = []
    private var nextNumber = 0
    private let log = Fired()
    private(set) var now: UInt64 = 0
    private(set) var expected: [Int] = []
    /// `nextDue` never lay after the earliest timer.
    private(set) var isEarlyEnough = true

    var fired: [Int] { log.numbers }

    init(seed: UInt64) {
        generator = SeededGenerator(seed: seed)
        wheel = TimerWheel(now: 0)
    }

    mutating func step() {
        for _ in 0..<Int.random(in: 0...3, using: &generator) { add() }
        if generator.oneIn(3), let victim = waiting.indices.randomElement(using: &generator) {
            if !wheel.cancel(waiting.remove(at: victim).id) { isEarlyEnough = false }
        }
        if let earliest = waiting.map(\.due).min() {
            isEarlyEnough = isEarlyEnough && wheel.nextDue.map { $0 <= earliest } == true
        }
        advance()
    }

    private mutating func add() {
        let scale = [10, 100, 5_000, 300_000, 20_000_000].randomElement(using: &generator)!
        // Rounded, so that many timers of different ages are due in the same millisecond.
        let due = (now + UInt64(Int.random(in: 1...scale, using: &generator))) / 8 * 8 + 8
        let number = nextNumber
        nextNumber += 1
        let id = wheel.add(due: due) { [log] in log.numbers.append(number) }
        waiting.append(Timer(due: due, number: number, id: id))
    }

    private mutating func advance() {
        let scale = [3, 70, 5_000, 100_000].randomElement(using: &generator)!
        now += UInt64(Int.random(in: 0...scale, using: &generator))
        var actions: [() -> Void] = []
        wheel.advance(to: now, into: &actions)
        for action in actions { action() }
        let due = waiting.filter { $0.due <= now }.sorted { ($0.due, $0.number) < ($1.due, $1.number) }
        expected += due.map(\.number)
        waiting.removeAll { $0.due <= now }
    }
}

extension TimerWheel {
    /// Moves the clock, and takes the actions of all timers that are due.
    fileprivate mutating func advance(to time: UInt64, into actions: inout [Action]) {
        advance(to: time)
        while let action = popDue() { actions.append(action) }
    }
}

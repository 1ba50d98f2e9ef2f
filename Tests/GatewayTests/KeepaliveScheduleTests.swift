// When connections are due, by a clock that the test moves.

import Settings
import Testing

@testable import Gateway

@Suite("Keepalive: schedule", .bounded)
struct KeepaliveScheduleTests {
    private func schedule(
        ping: Duration = .seconds(25), pong: Duration = .seconds(10), idle: Duration = .zero
    )
        -> KeepaliveSchedule
    {
        var keepalive = Configuration.Keepalive()
        (keepalive.pingInterval, keepalive.pongTimeout, keepalive.idleTimeout) = (ping, pong, idle)
        return KeepaliveSchedule(keepalive)
    }

    /// No tick has more than its share of the slots.
    @Test("each slot is due once in an interval")
    func spread() {
        var schedule = schedule()
        #expect(schedule.interval == 250)
        for count in [0, 1, 249, 250, 15_000, 15_001] {
            var dues = [Int](repeating: 0, count: count)
            for _ in 0..<schedule.interval {
                let slots = Array(schedule.slots(period: schedule.interval, below: count))
                #expect(slots.count <= count / 250 + 1)
                for slot in slots { dues[slot] += 1 }
                schedule.advance()
            }
            #expect(dues.allSatisfy { $0 == 1 })
        }
    }

    /// Also when that is longer than the interval.
    @Test("a slot's second turn comes the requested number of ticks after its first")
    func delay() {
        for delay in [0, 1, 99, 249, 250, 251, 700] {
            var schedule = schedule()
            var turns: [Int: Int] = [:]
            for tick in 0..<1_500 {
                let late = schedule.slots(period: 250, delay: delay, below: 600)
                #expect(late.allSatisfy { $0 >= 0 && ($0 + delay - tick).isMultiple(of: 250) })
                for slot in schedule.slots(period: 250, below: 600) where slot == 333 && turns[slot] == nil {
                    turns[slot] = tick
                }
                if let turn = turns[333], tick == turn + delay {
                    #expect(late.contains(333))
                }
                schedule.advance()
            }
            #expect(turns[333] == 83)
        }
    }

    /// An idle time is checked four times.
    @Test("zero is off and a time below a tick is one tick")
    func ticks() {
        #expect(!schedule(ping: .zero).isOn)
        #expect(schedule(ping: .milliseconds(1)).interval == 1)
        #expect(schedule(ping: .milliseconds(101)).interval == 2)
        let idle = schedule(ping: .zero, idle: .seconds(60))
        #expect(idle.isOn && idle.idleStep == 150)
    }

    /// A new connection in its slot begins anew.
    @Test("a connection is idle after four looks without a message")
    func idle() {
        var table = IdleTable()
        table.begin(5)
        #expect((1...3).map { _ in table.look(5, messages: 0) } == [1, 2, 3])
        #expect(table.look(5, messages: 1) == 0)
        #expect((1...4).map { _ in table.look(5, messages: 1) } == [1, 2, 3, 4])
        table.begin(5)
        #expect(table.look(5, messages: 0) == 1)
        #expect(table.look(99, messages: 0) == 0)
        #expect((0..<1_000).map { _ in table.look(5, messages: 0) }.last == 255)
    }

    @Test("only the first pong to the last ping tells a round-trip time")
    func pongs() {
        var keepalive = Keepalive()
        let pong = { (stamp: UInt32, clock: UInt32) in
            withUnsafeBytes(of: stamp) { keepalive.pong($0, clock: clock) }
        }
        pong(0, 5)
        #expect(keepalive.lastRoundTrip == nil)
        let first = keepalive.ping(at: 1, clock: 1_000)
        #expect(keepalive.awaitsAnswer)
        let second = keepalive.ping(at: 2, clock: 3_000)
        pong(first, 4_000)
        #expect(keepalive.lastRoundTrip == nil)
        withUnsafeBytes(of: (second, second)) { keepalive.pong($0, clock: 4_000) }
        #expect(keepalive.lastRoundTrip == nil)
        pong(second, 4_501)
        #expect(keepalive.lastRoundTrip == 1_500)
        pong(second, 9_000)
        #expect(keepalive.lastRoundTrip == 1_500)
    }

    @Test("a clock that wraps, or stands still, gives a time all the same")
    func clocks() {
        var keepalive = Keepalive()
        var stamp = keepalive.ping(at: 0, clock: .max - 10)
        withUnsafeBytes(of: stamp) { keepalive.pong($0, clock: 89) }
        #expect(keepalive.lastRoundTrip == 100 || keepalive.lastRoundTrip == 99)
        stamp = keepalive.ping(at: 0, clock: 500)
        withUnsafeBytes(of: stamp) { keepalive.pong($0, clock: 500) }
        #expect(keepalive.lastRoundTrip == 1)
        keepalive.begin(at: 65_530)
        #expect(keepalive.age(at: 65_540) == 10)
    }
}

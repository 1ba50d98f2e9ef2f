// Turns: the order of events in them, and the time for which the loop sleeps.

import CLinux
import Testing

@testable import EventLoop

@Suite("EventLoop", .bounded)
struct EventLoopTests {
    private let stage = Stage()

    private func milliseconds() -> UInt64 { clinux_monotonic_nanoseconds() / 1_000_000 }

    @Test("timers fire in order and never early, cancelled ones never")
    func timers() {
        var fired: [Int] = []
        let before = milliseconds()
        stage.loop.schedule(after: 20) { fired.append(20) }
        stage.loop.schedule(after: 5) { fired.append(5) }
        stage.loop.schedule(after: 5) { fired.append(6) }
        let cancelled = stage.loop.schedule(after: 10) { fired.append(10) }
        #expect(stage.loop.cancel(cancelled))
        #expect(stage.turn { fired.count == 3 })
        #expect(fired == [5, 6, 20])
        // The loop's clock is whole milliseconds, read when the last turn began.
        #expect(milliseconds() - before >= 19)
    }

    @Test("a timer may set another and cancel another")
    func timersOfTimers() {
        var fired: [String] = []
        let loop = stage.loop
        let victim = loop.schedule(after: 50) { fired.append("victim") }
        loop.schedule(after: 1) { [unowned loop] in
            loop.cancel(victim)
            loop.schedule(after: 1) { fired.append("second") }
        }
        loop.schedule(after: 60) { fired.append("last") }
        #expect(stage.turn { fired.contains("last") })
        #expect(fired == ["second", "last"])
    }

    @Test("deferred actions run before the end of turn's writes, nested ones too")
    func deferred() {
        let (socket, peer) = stage.pair(keepsWrites: true)
        let loop = stage.loop
        loop.atEndOfTurn { [unowned loop] in
            socket.write([1])
            loop.atEndOfTurn { socket.write([2]) }
        }
        socket.write([0])
        stage.turn()
        #expect(peer.readRecords() == [[0, 1, 2]])
    }

    @Test("a source removed by another of the same turn is not called")
    func removed() {
        final class Bell: Source {
            var rings = 0
            var others: [Bell] = []
            var loop: EventLoop?
            override func ready(_ readiness: Readiness) {
                rings += 1
                for other in others { loop?.remove(other) }
            }
        }
        let bells = (0..<2).map { _ in Bell(descriptor: clinux_eventfd()) }
        for bell in bells {
            bell.others = bells.filter { $0 !== bell }
            bell.loop = stage.loop
            stage.loop.add(bell, for: .writable)
        }
        stage.turn()
        #expect(bells.map(\.rings).sorted() == [0, 1])
        for bell in bells {
            stage.loop.remove(bell)
            bell.others = []
        }
    }

    @Test("run ends with the turn in which stop is called")
    func stop() {
        let loop = stage.loop
        var turns = 0
        loop.schedule(after: 1) { [unowned loop] in
            turns += 1
            loop.stop()
        }
        loop.schedule(after: 3_600_000) { turns += 1 }
        loop.run()
        #expect(turns == 1)
    }

    @Test("sources can be walked over by slot")
    func walking() {
        let pairs = (0..<3).map { _ in stage.pair() }
        pairs[1].socket.abort()
        stage.turn()
        let found = (0..<stage.loop.slotCount).compactMap { stage.loop.source(at: $0) }
        #expect(found.map(ObjectIdentifier.init) == [pairs[0], pairs[2]].map { ObjectIdentifier($0.socket) })
        #expect(stage.loop.source(pairs[1].socket.token) == nil)
    }
}

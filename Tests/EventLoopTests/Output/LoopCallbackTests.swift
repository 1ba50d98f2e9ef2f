// The decision of one callback holds for the later callbacks of its turn: a cancelled timer does not fire, a moved
// deadline does not expire, and a closed socket gets no callback but that of its end.

import Glibc
import Testing

@testable import EventLoop

@Suite("Loop callbacks", .bounded)
struct LoopCallbackTests {
    private let stage = Stage()

    @Test("a timer that another timer of the same turn cancels does not fire")
    func cancelledInTheSameTurn() {
        var now: UInt64 = 1_000
        let loop = EventLoop(clock: { now })
        var fired: [Int] = []
        var second: TimerID?
        var wasTaken = false
        loop.schedule(after: 1) {
            fired.append(1)
            wasTaken = loop.cancel(second!)
        }
        second = loop.schedule(after: 2) { fired.append(2) }
        loop.schedule(after: 3) { fired.append(3) }
        now += 10
        loop.turn(waitingAtMost: 0)
        #expect(fired == [1, 3] && wasTaken)
    }

    @Test("a timer that has fired cannot be cancelled, not even by its own action")
    func cancelledInItsOwnAction() {
        let loop = stage.loop
        var own: TimerID?
        var wasTaken: Bool?
        own = loop.schedule(after: 1) { wasTaken = loop.cancel(own!) }
        stage.turn { wasTaken != nil }
        #expect(wasTaken == false)
    }

    @Test("a deadline that another one of its turn moves or cancels does not expire")
    func movedInTheSameTurn() {
        let sockets = (0..<4).map { _ in stage.pair().socket }
        for socket in sockets { socket.setDeadline(milliseconds: 1) }
        sockets[0].react = { _, event in
            guard event == .deadline else { return }
            sockets[1].setDeadline(milliseconds: nil)
            sockets[2].setDeadline(milliseconds: 60_000)
        }
        #expect(stage.turn { sockets[3].events == [.deadline] })
        #expect(sockets[0].events == [.deadline])
        #expect(sockets[1].events.isEmpty && sockets[2].events.isEmpty)
        sockets[2].setDeadline(milliseconds: 1)
        #expect(stage.turn { sockets[2].events == [.deadline] })
    }

    @Test("a socket that another's deadline closes gets no deadline of its own")
    func closedInTheSameTurn() {
        let sockets = (0..<2).map { _ in stage.pair().socket }
        for socket in sockets { socket.setDeadline(milliseconds: 1) }
        sockets[0].react = { _, event in
            if event == .deadline { sockets[1].abort() }
        }
        #expect(stage.turn { sockets[1].events.last == .closed })
        #expect(sockets[1].events == [.closed])
    }

    @Test("a stalled socket that another's stall closes gets no stall of its own")
    func stalledInTheSameTurn() {
        stage.loop.writeTimeout = 40
        let pairs = (0..<2).map { _ in stage.pair(room: 4_096) }
        var stalls = 0
        for (socket, _) in pairs {
            socket.write([UInt8](repeating: 1, count: 400_000))
            socket.stalled = {
                stalls += 1
                for (other, _) in pairs { other.abort() }
            }
        }
        #expect(stage.turn { pairs.allSatisfy { $0.socket.events.last == .closed } })
        #expect(stalls == 1)
    }

    @Test("an inbox releases its last messages in the turn that handles them")
    func inboxLetsGo() {
        let inbox = Inbox<SharedBlock>()
        var handled = 0
        stage.loop.attach(inbox) { _ in handled += 1 }
        weak var watched: SharedBlock?
        do {
            let block = SharedBlock()
            watched = block
            inbox.post(block)
        }
        #expect(watched != nil)
        #expect(stage.turn { handled == 1 })
        #expect(watched == nil)
    }

    private final class SharedBlock: Sendable {}
}

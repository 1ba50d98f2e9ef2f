// The ways in which a connection ends: in order, at once, by the peer, or because its time is up.

import CLinux
import Glibc
import SeededGenerator
import Testing

@testable import EventLoop

@Suite("Socket: ending", .bounded)
struct SocketEndingTests {
    private let stage = Stage()

    private func milliseconds() -> UInt64 { clinux_monotonic_nanoseconds() / 1_000_000 }

    @Test("a half-closed socket may write and closes when both sides have ended")
    func halfClose() throws {
        let (socket, peer) = try stage.tcpPair()
        peer.send([1, 2])
        peer.shutdownWrite()
        stage.turn { socket.events.contains(.end) }
        #expect(socket.receivedBytes == [1, 2])
        socket.write([3])
        stage.turn()
        #expect(peer.readAll() == [3])
        #expect(socket.isWritable)
        socket.finish()
        stage.turn { socket.events.contains(.closed) }
        #expect(peer.read() == nil)
        #expect(socket.events.suffix(2) == [.end, .closed])
        #expect(socket.descriptor == -1)
    }

    @Test("the peer's end is reported once and costs no turns afterwards")
    func endOnce() throws {
        let (socket, peer) = try stage.tcpPair()
        peer.shutdownWrite()
        stage.turn { socket.events.contains(.end) }
        for _ in 0..<5 { stage.turn() }
        #expect(socket.events == [.end])
        #expect(stage.sleeps)
    }

    @Test("finish loses no queued bytes, however slowly the peer reads")
    func finishLosesNothing() {
        let (socket, peer) = stage.pair(room: 4_096)
        var generator = SeededGenerator(seed: 1)
        let bytes = generator.bytes(400_000)
        socket.write(shared: SharedBytes(Array(bytes[..<200_000])))
        socket.write(Array(bytes[200_000...]))
        socket.finish()
        var received: [UInt8] = []
        var isOver = false
        stage.turn {
            guard let piece = peer.read(atMost: 5_000) else {
                isOver = true
                return true
            }
            received += piece
            return false
        }
        #expect(isOver)
        #expect(received == bytes)
        #expect(!socket.events.contains(.closed), "the peer has not hung up yet")
        peer.hangUp()
        #expect(stage.turn { socket.events == [.closed] })
    }

    @Test("finish drops arriving bytes, so that a reset does not lose its own")
    func lingering() throws {
        let (socket, peer) = try stage.tcpPair()
        socket.write([1, 2, 3])
        socket.finish()
        stage.turn()
        for _ in 0..<20 {
            peer.send([UInt8](repeating: 9, count: 1_000))
            stage.turn()
        }
        #expect(peer.read() == [1, 2, 3])
        #expect(peer.read() == nil)
        #expect(socket.events.isEmpty)
        peer.hangUp()
        #expect(stage.turn { socket.events == [.closed] })
    }

    @Test("finish cuts a peer that does not read when the time it was given is over")
    func finishInTime() {
        let (socket, peer) = stage.pair(room: 4_096)
        socket.write([UInt8](repeating: 1, count: 100_000))
        socket.finish(within: 20)
        let before = milliseconds()
        stage.turn { socket.events.contains(.closed) }
        #expect((20...1_000).contains(milliseconds() - before))
        #expect(socket.events == [.closed], "the deadline is the hang-up's, not the subclass's")
        _ = peer
    }

    @Test("finish resumes paused reading, so that a sending peer can end")
    func finishWhilePaused() throws {
        let (socket, peer) = try stage.tcpPair()
        socket.setReading(false)
        socket.write([1])
        socket.finish()
        socket.endAllowance = 20 << 20
        let piece = [UInt8](repeating: 9, count: 1 << 18)
        // More than the kernel's buffers hold.
        var left = 18 << 20
        stage.turn(atMost: 1_500) {
            left -= max(0, send(peer.descriptor, piece, piece.count, Int32(MSG_DONTWAIT)))
            return left <= 0
        }
        #expect(left <= 0)
        #expect(peer.read() == [1])
        #expect(socket.events.isEmpty)
    }

    @Test(
        "a peer that goes on sending is read up to its allowance, then cut")
    func allowance() {
        let (socket, peer) = stage.pair()
        socket.endAllowance = 300_000
        stage.loop.receiveLimit = 50_000
        socket.write([1, 2, 3])
        let begin = milliseconds()
        socket.finish(within: 400)
        let piece = [UInt8](repeating: 9, count: 10_000)
        var sent = 0
        stage.turn {
            sent += max(0, send(peer.descriptor, piece, piece.count, Int32(MSG_DONTWAIT) | Int32(MSG_NOSIGNAL)))
            return socket.hasSpentAllowance
        }
        #expect(socket.hasSpentAllowance)
        for _ in 0..<200 {
            sent += max(0, send(peer.descriptor, piece, piece.count, Int32(MSG_DONTWAIT) | Int32(MSG_NOSIGNAL)))
            stage.turn()
        }
        #expect(sent < 2_000_000, "unread bytes fill the kernel's buffer, and no more than that")
        #expect(socket.endAllowance == 0)
        #expect(peer.read() == [1, 2, 3])
        #expect(socket.events.isEmpty)
        #expect((0..<5).contains { _ in stage.sleeps }, "the deadline wakes the loop ten times a second")
        #expect(stage.turn { socket.events == [.closed] })
        #expect((400...3_000).contains(milliseconds() - begin))
    }

    @Test("a socket that finishes by its deadline gets no time on top of it")
    func finishByDeadline() {
        let (socket, peer) = stage.pair()
        let begin = milliseconds()
        socket.setDeadline(milliseconds: 200)
        socket.finishByDeadline()
        #expect(stage.turn { socket.events == [.closed] })
        #expect((200...1_500).contains(milliseconds() - begin), "the usual time is 2 s")
        withExtendedLifetime(peer) {}
    }

    @Test("a slow reader of queued bytes has as long as it goes on reading")
    func finishWithoutDeadline() {
        stage.loop.writeTimeout = 5_000
        let (socket, peer) = stage.pair(room: 4_096)
        socket.write([UInt8](repeating: 1, count: 200_000))
        socket.setDeadline(milliseconds: 100)
        socket.finish(within: nil)
        stage.turn()
        stage.turn(atMost: 400) { false }
        #expect(socket.events.isEmpty, "no deadline is left")
        var received = 0
        stage.turn {
            received += peer.read(atMost: 20_000)?.count ?? 0
            return received == 200_000
        }
        #expect(received == 200_000)
        peer.hangUp()
        #expect(stage.turn { socket.events == [.closed] })
    }

    @Test("abort closes once at the end of the turn and drops queued bytes")
    func abort() {
        let (socket, peer) = stage.pair()
        socket.write([1])
        socket.abort()
        socket.abort()
        #expect(socket.events.isEmpty)
        #expect(!socket.isWritable)
        stage.turn()
        #expect(socket.events == [.closed])
        #expect(peer.read() == nil)
        #expect(socket.queuedBytes == 0)
        stage.turn()
        #expect(socket.events == [.closed])
    }

    @Test("a socket that another one aborts receives nothing more in that turn")
    func abortedBeforeItsEvent() {
        let (first, firstPeer) = stage.pair()
        let (second, secondPeer) = stage.pair()
        first.react = { _, event in
            if case .bytes = event { second.abort() }
        }
        second.react = { _, event in
            if case .bytes = event { first.abort() }
        }
        firstPeer.send([1])
        secondPeer.send([1])
        stage.turn()
        let received = [first, second].filter { !$0.receivedBytes.isEmpty }
        #expect(received.count == 1)
        #expect(received.first?.events == [.bytes([1])])
        #expect([first, second].count { $0.events == [.closed] } == 1)
    }

    @Test("a socket that aborts in drained receives nothing more")
    func abortInDrained() {
        let (socket, peer) = stage.pair(room: 4_096)
        socket.react = { socket, event in
            if event == .drained { socket.abort() }
        }
        socket.write([UInt8](repeating: 1, count: 50_000))
        stage.turn()
        #expect(socket.isBlocked)
        peer.send([5])
        stage.turn {
            _ = peer.readAll()
            return socket.events.contains(.closed)
        }
        #expect(socket.events.filter { $0 != .bytes([5]) } == [.drained, .closed])
        #expect(socket.events.last == .closed)
        #expect(socket.events.firstIndex(of: .bytes([5])).map { $0 < socket.events.firstIndex(of: .drained)! } ?? true)
    }

    @Test("a closing socket may write to others, whose bytes leave in the same turn")
    func writingInDidClose() {
        let (socket, _) = stage.pair()
        let (other, otherPeer) = stage.pair(keepsWrites: true)
        socket.react = { _, event in
            if event == .closed { other.write([1, 2]) }
        }
        socket.abort()
        stage.turn()
        #expect(otherPeer.readRecords() == [[1, 2]])
    }

    @Test("a reset by the peer closes the socket, with output waiting or not", arguments: [0, 5_000_000])
    func reset(_ queued: Int) throws {
        let (socket, peer) = try stage.tcpPair()
        if queued > 0 { socket.write([UInt8](repeating: 1, count: queued)) }
        stage.turn()
        #expect(socket.isBlocked == (queued > 0))
        peer.reset()
        #expect(stage.turn { socket.events == [.closed] })
    }

    @Test("a peer that is gone closes the socket after the turn, not in a write")
    func goneWhileWriting() {
        let (socket, peer) = stage.pair()
        peer.hangUp()
        socket.write([1])
        #expect(socket.events.isEmpty)
        stage.turn()
        #expect(socket.events.last == .closed)
    }

    @Test("a deadline is never early, comes once, and may be moved or cancelled")
    func deadlines() {
        let (socket, _) = stage.pair()
        let (moved, _) = stage.pair()
        let (spared, _) = stage.pair()
        let before = milliseconds()
        socket.setDeadline(milliseconds: 50)
        moved.setDeadline(milliseconds: 1)
        moved.setDeadline(milliseconds: 3_600_000)
        spared.setDeadline(milliseconds: 1)
        spared.setDeadline(milliseconds: nil)
        #expect(stage.turn { !socket.events.isEmpty })
        #expect(milliseconds() - before >= 50)
        #expect(socket.events == [.deadline])
        #expect(moved.events.isEmpty)
        #expect(spared.events.isEmpty)
        #expect(socket.isWritable, "the subclass decides about the effect of a deadline")
    }

    @Test("the deadline of a closed socket does not reach the slot's next one")
    func deadlineOfStranger() {
        let (socket, _) = stage.pair()
        socket.setDeadline(milliseconds: 1)
        socket.abort()
        stage.turn()
        let (stranger, _) = stage.pair()
        #expect(stranger.token.slot == socket.token.slot)
        let before = milliseconds()
        while milliseconds() - before < 210 { stage.loop.turn(waitingAtMost: 50) }
        #expect(stranger.events.isEmpty)
    }
}

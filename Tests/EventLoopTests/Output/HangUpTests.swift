// A peer that is gone: its last bytes are read at any pace, and it does not keep the loop busy.

import Glibc
import SeededGenerator
import Testing

@testable import EventLoop

@Suite("Socket: hang-ups", .bounded)
struct HangUpTests {
    private let stage = Stage()

    enum Link: CaseIterable { case unix, tcp }

    private func pair(_ link: Link) throws -> (socket: RecordingSocket, peer: Peer) {
        link == .tcp ? try stage.tcpPair() : stage.pair()
    }

    @Test("a peer that hangs up after its half-close closes the socket", arguments: Link.allCases)
    func afterHalfClose(_ link: Link) throws {
        let (socket, peer) = try pair(link)
        peer.send([1])
        peer.shutdownWrite()
        #expect(stage.turn { socket.events.contains(.end) })
        #expect(stage.sleeps, "an answer may take its time")
        if link == .tcp { peer.reset() } else { peer.hangUp() }
        #expect(stage.turn(atMost: 2_000) { socket.events.last == .closed })
        #expect(stage.sleeps)
    }

    @Test("bytes from before a hang-up wait for a paused socket without spinning", arguments: Link.allCases)
    func whilePaused(_ link: Link) throws {
        let (socket, peer) = try pair(link)
        var generator = SeededGenerator(seed: 1)
        let bytes = generator.bytes(50_000)
        socket.setReading(false)
        peer.send(bytes)
        if link == .tcp { peer.reset() } else { peer.hangUp() }
        for _ in 0..<5 { stage.turn() }
        #expect(socket.events.isEmpty)
        #expect(stage.sleeps)
        stage.loop.receiveLimit = 10_000
        // Like a client whose rate is limited: one read, then a pause.
        socket.react = { socket, event in
            guard case .bytes = event else { return }
            socket.setReading(false)
            stage.loop.schedule(after: 5) { socket.setReading(true) }
        }
        socket.setReading(true)
        #expect(stage.turn { socket.events.contains(.end) || socket.events.contains(.closed) })
        // On some systems a reset drops the bytes that TCP holds, and then there is nothing to read.
        #expect(socket.receivedBytes == bytes)
        stage.loop.receiveLimit = 512 << 10
    }

    @Test("a socket that writes to a gone peer still reads its last bytes")
    func writingToThePeer() {
        let (socket, peer) = stage.pair()
        stage.loop.receiveLimit = 1_000
        peer.send([UInt8](repeating: 1, count: 10_000))
        peer.hangUp()
        socket.react = { socket, event in
            if case .bytes = event { socket.write([2]) }
        }
        #expect(stage.turn { socket.events.contains(.end) || socket.events.contains(.closed) })
        #expect(socket.receivedBytes.count == 10_000)
        socket.abort()
        #expect(stage.turn { socket.events.last == .closed })
    }

    @Test(
        "a socket that puts off its closing is quiet until it closes",
        arguments: Link.allCases)
    func putOff(_ link: Link) throws {
        let (socket, peer) = try pair(link)
        socket.putsOffClosing = true
        socket.abort()
        stage.turn()
        if link == .tcp { peer.reset() } else { peer.hangUp() }
        for _ in 0..<5 { stage.turn() }
        // Neither makes the loop watch it again.
        socket.setReading(false)
        socket.setReading(true)
        #expect(stage.sleeps)
        socket.closePutOff()
        stage.turn()
        #expect(socket.events.isEmpty, "it has put that off once more")
        socket.putsOffClosing = false
        socket.closePutOff()
        socket.closePutOff()
        stage.turn()
        #expect(socket.events == [.closed] && socket.descriptor == -1)
    }

    @Test("over TLS too, also after bytes that the kernel had refused", arguments: [false, true])
    func writingToThePeerSecurely(isBlocked: Bool) {
        let (socket, client) = stage.securePair(room: 4_096)
        stage.loop.receiveLimit = 1_000
        if isBlocked { socket.write([UInt8](repeating: 3, count: 500_000)) }
        stage.turn()
        #expect(socket.isBlocked == isBlocked)
        client.peer.send((0..<10).flatMap { client.encrypt([UInt8](repeating: $0, count: 1_000)) })
        client.peer.hangUp()
        socket.react = { socket, event in
            if case .bytes = event { socket.write([2]) }
        }
        #expect(stage.turn { socket.events.last == .closed })
        #expect(socket.receivedBytes == (0..<10).flatMap { [UInt8](repeating: $0, count: 1_000) })
        #expect(socket.queuedBytes == 0)
        stage.loop.receiveLimit = 512 << 10
    }

    @Test("a close_notify that came with bytes is handled when reading goes on", arguments: [true, false])
    func goodbyeWhilePaused(hangsUp: Bool) {
        let (socket, client) = stage.securePair()
        socket.react = { socket, event in
            if case .bytes = event { socket.setReading(false) }
        }
        client.peer.send(client.encrypt([1, 2, 3]) + client.end())
        if hangsUp { client.peer.hangUp() }
        for _ in 0..<5 { stage.turn() }
        #expect(socket.events.last == .bytes([1, 2, 3]), "the reader may have more to do with them")
        #expect(stage.sleeps)
        socket.setReading(true)
        // A peer that hung up may have left bytes unread: then the kernel reports a reset.
        #expect(stage.turn { socket.events.contains(.end) || hangsUp && socket.events.contains(.closed) })
        socket.abort()
        #expect(stage.turn { socket.events.last == .closed })
    }

    @Test("a paused socket can be closed after its peer is gone")
    func abortedWhilePaused() {
        let (socket, peer) = stage.pair()
        socket.setReading(false)
        peer.hangUp()
        for _ in 0..<3 { stage.turn() }
        socket.abort()
        #expect(stage.turn { socket.events == [.closed] })
    }
}

// The output of a socket: the time, the number and the order of its writes.

import SeededGenerator
import Testing

@testable import EventLoop

@Suite("Socket: writing", .bounded)
struct SocketWritingTests {
    private let stage = Stage()

    @Test("writes once at the end of the turn, however many writes there were")
    func onePerTurn() {
        let (socket, peer) = stage.pair(keepsWrites: true)
        for byte in 0..<200 as Range<UInt8> { socket.write([byte]) }
        #expect(peer.readRecords().isEmpty, "nothing leaves before the end of the turn")
        stage.turn()
        #expect(peer.readRecords() == [Array(0..<200)])
    }

    @Test("own and shared pieces leave in one write, in order")
    func mixedPieces() {
        let (socket, peer) = stage.pair(keepsWrites: true)
        var expected: [UInt8] = []
        var generator = SeededGenerator(seed: 1)
        for index in 0..<40 {
            let bytes = generator.bytes(index * 13 % 900 + 1)
            expected += bytes
            if index % 3 == 0 { socket.write(bytes) } else { socket.write(shared: SharedBytes(bytes)) }
        }
        stage.turn()
        #expect(peer.readRecords() == [expected])
    }

    @Test("more than 64 KiB of large pieces leave in one gathering write, uncopied")
    func largePieces() {
        let (socket, peer) = stage.pair(keepsWrites: true, room: 1 << 20)
        let pieces = (0..<5).map { [UInt8](repeating: UInt8($0), count: 20_000) }
        for piece in pieces { socket.write(shared: SharedBytes(piece)) }
        stage.turn()
        #expect(peer.readRecords() == [Array(pieces.joined())])
    }

    @Test("answers leave in the turn of their message, in one write per socket")
    func echo() {
        let pairs = (0..<10).map { _ in stage.pair(keepsWrites: true) }
        for (socket, peer) in pairs {
            socket.react = { socket, event in
                guard case .bytes(let bytes) = event else { return }
                for byte in bytes { socket.write([byte]) }
            }
            peer.send([1, 2, 3])
        }
        stage.turn()
        for (_, peer) in pairs { #expect(peer.readRecords() == [[1, 2, 3]]) }
    }

    @Test("a shared piece is kept exactly until it has left")
    func sharedLifetime() {
        let (socket, peer) = stage.pair()
        var gone = 0
        let bytes = [UInt8](repeating: 7, count: 3_000)
        socket.write(shared: SharedBytes(bytes) { gone += 1 })
        socket.write(shared: SharedBytes(bytes) { gone += 1 })
        #expect(gone == 0)
        stage.turn()
        #expect(gone == 2)
        #expect(peer.readAll() == bytes + bytes)
    }

    /// The socket reports once that all are sent.
    @Test("refused bytes wait in order")
    func blocked() {
        let (socket, peer) = stage.pair(room: 4_096)
        var generator = SeededGenerator(seed: 2)
        let bytes = generator.bytes(300_000)
        socket.write(Array(bytes[..<100_000]))
        stage.turn()
        #expect(socket.isBlocked)
        #expect((1..<100_000).contains(socket.queuedBytes))
        socket.write(Array(bytes[100_000..<100_100]))
        socket.write(shared: SharedBytes(Array(bytes[100_100..<100_200])))
        socket.write(shared: SharedBytes(Array(bytes[100_200...])))
        var received: [UInt8] = []
        stage.turn {
            received += peer.read(atMost: 10_000) ?? []
            return received.count == bytes.count
        }
        #expect(received == bytes)
        stage.turn()
        #expect(!socket.isBlocked)
        #expect(socket.queuedBytes == 0)
        #expect(socket.events == [.drained])
        #expect(stage.sleeps, "nobody waits for room any more")
    }

    @Test("drained is never called for a peer that keeps up")
    func neverBlocked() {
        let (socket, peer) = stage.pair()
        for _ in 0..<10 {
            socket.write([1, 2, 3])
            stage.turn()
            #expect(socket.queuedBytes == 0)
        }
        #expect(peer.readAll().count == 30)
        #expect(socket.events.isEmpty)
    }

    @Test("small waiting shared pieces are copied, so a slow peer pins no memory")
    func waitingPiecesAreCopied() {
        let (socket, peer) = stage.pair(room: 4_096)
        socket.write([UInt8](repeating: 0, count: 100_000))
        stage.turn()
        var gone = 0
        socket.write(shared: SharedBytes([UInt8](repeating: 1, count: OutputQueue.copyLimit)) { gone += 1 })
        #expect(gone == 1)
        socket.write(shared: SharedBytes([UInt8](repeating: 2, count: OutputQueue.copyLimit + 1)) { gone += 1 })
        #expect(gone == 1)
        peer.hangUp()
        stage.turn { socket.events.contains(.closed) }
        #expect(gone == 2)
    }

    @Test("a socket that overflows the turn buffer sends each byte once, in order")
    func overflowOfOneSocket() {
        // The kernel takes a whole turn buffer at once, so that only the overflow makes a piece wait.
        let (socket, peer) = stage.pair(room: 1 << 20)
        var generator = SeededGenerator(seed: 3)
        var expected: [UInt8] = []
        var received: [UInt8] = []
        while expected.count < TurnBuffer.capacity * 3 {
            let piece = generator.bytes(1_000)
            expected += piece
            socket.write(piece)
        }
        stage.turn {
            received += peer.readAll()
            return socket.queuedBytes == 0 && received.count >= expected.count
        }
        #expect(received == expected)
    }

    @Test("many sockets that overflow the turn buffer each send their own bytes")
    func overflowOfMany() {
        let pairs = (0..<25).map { _ in stage.pair() }
        var expected = [[UInt8]](repeating: [], count: pairs.count)
        var generator = SeededGenerator(seed: 4)
        for round in 0..<1_200 {
            let index = round * 7 % pairs.count
            let piece = generator.bytes(Int.random(in: 1...1_200, using: &generator))
            expected[index] += piece
            if round % 5 == 0 {
                pairs[index].socket.write(shared: SharedBytes(piece))
            } else {
                pairs[index].socket.write(piece)
            }
        }
        #expect(expected.reduce(0) { $0 + $1.count } > TurnBuffer.capacity * 2)
        stage.turn()
        for (index, pair) in pairs.enumerated() { #expect(pair.peer.readAll() == expected[index], "socket \(index)") }
    }

    @Test("a piece larger than the turn buffer goes whole and in its place")
    func hugePiece() {
        let (socket, peer) = stage.pair()
        var generator = SeededGenerator(seed: 5)
        let pieces = [100, TurnBuffer.capacity * 2, 50, TurnBuffer.capacity / 2 + 1, 7].map { generator.bytes($0) }
        for piece in pieces { socket.write(piece) }
        var received: [UInt8] = []
        stage.turn {
            received += peer.readAll()
            return received.count >= pieces.reduce(0) { $0 + $1.count }
        }
        #expect(received == Array(pieces.joined()))
    }

    /// Later bytes leave at the end of the turn.
    @Test("flushNow writes at once")
    func flushNow() {
        let (socket, peer) = stage.pair(keepsWrites: true)
        socket.write([1])
        socket.flushNow()
        #expect(peer.readRecords() == [[1]])
        socket.write([2])
        socket.write([3])
        stage.turn()
        #expect(peer.readRecords() == [[2, 3]])
    }

    @Test("writeThrough sends queued bytes, then both pieces in one write, at once")
    func writeThrough() {
        let (socket, peer) = stage.pair(keepsWrites: true)
        socket.write([1])
        socket.writeThrough([2, 3], [4])
        #expect(peer.readRecords() == [[1], [2, 3, 4]])
        #expect(socket.queuedBytes == 0)
        socket.writeThrough([5], [])
        socket.writeThrough([], [6])
        stage.turn()
        #expect(peer.readRecords() == [[5], [6]])
    }

    @Test("writeThrough queues refused bytes from any place on", arguments: [10, 250_000])
    func writeThroughBlocked(_ headSize: Int) {
        let (socket, peer) = stage.pair(room: 4_096)
        var generator = SeededGenerator(seed: 6)
        let (head, body) = (generator.bytes(headSize), generator.bytes(250_000))
        socket.writeThrough(head, body)
        #expect(socket.queuedBytes > 200_000)
        socket.writeThrough([1], [2])
        var received: [UInt8] = []
        stage.turn {
            received += peer.readAll()
            return socket.queuedBytes == 0 && received.count >= head.count + body.count + 2
        }
        #expect(received == head + body + [1, 2])
    }

    @Test("a peer that catches up after flushNow gets the bytes that drained writes")
    func drainedAfterFlushNow() {
        // Enough to block the socket at first, and little enough to fit at the second attempt.
        let bytes = [UInt8](repeating: 1, count: 300_000)
        let (socket, peer) = stage.pair()
        let (other, otherPeer) = stage.pair()
        var received: [UInt8] = []
        socket.react = { socket, event in
            if event == .drained { socket.write([2, 3]) }
        }
        stage.loop.atEndOfTurn {
            other.write([9])
            socket.write(bytes)
            socket.flushNow()
            received += peer.readAll()
        }
        stage.turn {
            received += peer.readAll()
            return received.count >= 300_002
        }
        #expect(received == bytes + [2, 3])
        #expect(otherPeer.readAll() == [9])
    }

    @Test("writing to a socket that is hanging up is without effect")
    func writingAfterTheEnd() {
        let (socket, peer) = stage.pair()
        socket.write([1])
        socket.finish()
        #expect(!socket.isWritable)
        socket.write([2])
        socket.write(shared: SharedBytes([3]))
        stage.turn()
        #expect(peer.read() == [1])
        #expect(peer.read() == nil)
    }
}

// A socket that speaks TLS behaves like any socket: the same bytes, the same order, the same ends, in any split of the
// encrypted bytes.

import CLinux
import Glibc
import SeededGenerator
import Testing

@testable import EventLoop

@Suite("Socket: TLS", .bounded)
struct TLSSocketTests {
    private let stage = Stage()

    /// A socket that has begun TLS and its peer, before the handshake.
    private func begin(room: Int32? = nil) -> (socket: RecordingSocket, client: TLSPeer) {
        let (socket, peer) = stage.pair(room: room)
        socket.startTLS(TestCertificates.context)
        return (socket, TLSPeer(peer))
    }

    /// A socket and its peer after the handshake.
    private func pair(room: Int32? = nil) -> (socket: RecordingSocket, client: TLSPeer) {
        let (socket, client) = begin(room: room)
        shakeHands(socket, client)
        return (socket, client)
    }

    private func shakeHands(_ socket: RecordingSocket, _ client: TLSPeer) {
        stage.turn {
            client.peer.send(client.step())
            return client.isEstablished && socket.isWritable
        }
        #expect(client.isEstablished && socket.isWritable)
    }

    @Test("bytes arrive as they were sent, both ways")
    func echo() {
        let (socket, client) = pair()
        #expect(socket.events == [.secured])
        client.peer.send(client.encrypt([1, 2, 3]))
        stage.turn()
        #expect(socket.receivedBytes == [1, 2, 3])
        socket.write([4, 5])
        stage.turn()
        #expect(client.read() == [4, 5])
        #expect(socket.queuedBytes == 0)
        #expect(stage.sleeps)
    }

    @Test("data that comes with the end of the handshake is received at once")
    func dataWithFinished() {
        let (socket, client) = begin()
        client.peer.send(client.step())
        stage.turn()
        let finished = client.step()
        client.peer.send(finished + client.encrypt([7]))
        stage.turn()
        #expect(socket.events == [.secured, .bytes([7])])
    }

    @Test("a handshake and data in pieces of one byte are a handshake and data")
    func oneByteAtATime() {
        let (socket, client) = begin()
        for _ in 0..<5 where !client.isEstablished {
            for byte in client.step() {
                client.peer.send([byte])
                stage.turn()
            }
        }
        for byte in client.encrypt([1, 2, 3]) {
            client.peer.send([byte])
            stage.turn()
        }
        #expect(socket.events == [.secured, .bytes([1, 2, 3])])
    }

    @Test("a plain-text preamble comes before the handshake, or together with it")
    func preamble() {
        let (socket, client) = begin()
        socket.expectPreamble()
        socket.preambleSize = 3
        client.peer.send([1, 2, 3] + client.step())
        stage.turn()
        #expect(!socket.awaitsPreamble)
        shakeHands(socket, client)
        #expect(socket.events == [.secured])
    }

    @Test("records that arrive together are received together, after a pause too")
    func paused() {
        let (socket, client) = pair()
        let records = (0..<50).flatMap { client.encrypt([UInt8](repeating: UInt8($0), count: 700)) }
        socket.react = { socket, event in
            if case .bytes = event { socket.setReading(false) }
        }
        client.peer.send(records)
        stage.turn()
        #expect(socket.receivedBytes.count == 50 * 700)
        #expect(socket.events.count == 2)
        client.peer.send(client.encrypt([1]))
        for _ in 0..<3 { stage.turn() }
        #expect(socket.receivedBytes.count == 50 * 700)
        socket.setReading(true)
        stage.turn()
        #expect(socket.receivedBytes.count == 50 * 700 + 1)
        #expect(stage.sleeps)
    }

    @Test("large transfers in both directions arrive whole at a slow peer", arguments: 0..<4)
    func largeBothWays(_ seed: Int) {
        var generator = SeededGenerator(seed: UInt64(seed))
        let (socket, client) = pair(room: 8_192)
        let down = generator.bytes(600_000)
        let up = generator.bytes(400_000)
        var toSend = stride(from: 0, to: up.count, by: 10_000).flatMap { client.encrypt(Array(up[$0..<$0 + 10_000])) }[
            ...]
        var written = 0
        var received: [UInt8] = []
        var wasBlocked = false
        stage.turn(atMost: 20_000) {
            if written < down.count {
                let size = min(Int.random(in: 1...40_000, using: &generator), down.count - written)
                let piece = Array(down[written..<written + size])
                switch Int.random(in: 0...2, using: &generator) {
                case 0: socket.write(piece)
                case 1: socket.write(shared: SharedBytes(piece))
                default: socket.writeThrough(Array(piece.prefix(4)), Array(piece.dropFirst(4)))
                }
                written += size
            }
            wasBlocked = wasBlocked || socket.isBlocked
            let count = min(Int.random(in: 1...20_000, using: &generator), toSend.count)
            let sent = Array(toSend.prefix(count)).withUnsafeBytes {
                send(client.peer.descriptor, $0.baseAddress, $0.count, Int32(MSG_DONTWAIT))
            }
            toSend = toSend.dropFirst(max(0, sent))
            received += client.read(atMost: Int.random(in: 1...30_000, using: &generator))
            return received.count >= down.count && toSend.isEmpty && socket.queuedBytes == 0
                && socket.receivedBytes.count == up.count
        }
        #expect(wasBlocked, "a run in which the peer is not slow proves little")
        #expect(received == down)
        #expect(socket.receivedBytes == up)
        #expect(stage.turn { !socket.isBlocked })
        #expect(stage.sleeps)
    }

    @Test("a turn's pieces leave as full records, not as a record each")
    func fewRecords() {
        let (socket, client) = pair()
        _ = client.read()
        for index in 0..<200 { socket.write([UInt8](repeating: 1, count: 100 + index % 2)) }
        socket.write(shared: SharedBytes([2, 3]))
        stage.turn()
        let records = Self.records(in: client.peer.readAll())
        #expect(records == 2, "20,102 bytes are two records")
    }

    @Test("drained is called when bytes that the kernel refused have left")
    func drained() {
        let (socket, client) = pair(room: 4_096)
        socket.write([UInt8](repeating: 1, count: 300_000))
        stage.turn()
        #expect(socket.isBlocked)
        #expect(socket.queuedBytes > 0)
        var received = 0
        stage.turn {
            received += client.read().count
            return received == 300_000
        }
        #expect(received == 300_000)
        #expect(stage.turn { !socket.isBlocked })
        #expect(socket.events == [.secured, .drained])
    }

    /// A later `finish` closes the socket.
    @Test("a write in a handshake's deadline has no effect")
    func lateHandshake() {
        let (socket, client) = begin()
        socket.react = { socket, event in
            guard event == .deadline else { return }
            socket.write([1, 2, 3])
            socket.finish()
        }
        socket.setDeadline(milliseconds: 20)
        #expect(stage.turn { socket.events == [.deadline, .closed] })
        #expect(client.peer.read() == nil, "nothing is said in plain text")
    }

    /// A full socket delays it.
    @Test("finish sends close_notify after queued bytes")
    func finish() {
        let (socket, client) = pair(room: 4_096)
        socket.write([UInt8](repeating: 1, count: 200_000))
        socket.finish()
        var received = 0
        stage.turn {
            received += client.read(atMost: 5_000).count
            return client.hasEnded
        }
        #expect(received == 200_000)
        #expect(client.hasEnded)
        #expect(socket.events == [.secured])
        client.peer.hangUp()
        #expect(stage.turn { socket.events == [.secured, .closed] })
    }

    @Test("the socket may still write after the peer's close_notify")
    func halfClose() {
        let (socket, client) = pair()
        client.peer.send(client.encrypt([1]) + client.end())
        stage.turn()
        #expect(socket.events == [.secured, .bytes([1]), .end])
        socket.write([2])
        stage.turn()
        #expect(client.read() == [2])
        socket.finish()
        #expect(stage.turn { socket.events.last == .closed })
        _ = client.read()
        #expect(client.hasEnded)
    }

    @Test("an end without close_notify closes the socket")
    func truncated() {
        let (socket, client) = pair()
        client.peer.send(client.encrypt([1]))
        client.peer.hangUp()
        #expect(stage.turn { socket.events.last == .closed })
        #expect(socket.events == [.secured, .bytes([1]), .closed])
    }

    /// Bytes in place of a ClientHello; the first byte of a record marks it as one.
    private static let strangers: [[UInt8]] = [
        Array("GET / HTTP/1.1\r\nHost: h\r\n\r\n".utf8), [UInt8](repeating: 0x78, count: 5_000),
        [22, 3, 1, 0, 5] + Array("abcde".utf8), [22, 3, 1, 0xFF, 0xFF] + [UInt8](repeating: 1, count: 20_000),
        [21, 3, 3, 0, 2, 2, 40],
    ]

    @Test("a peer that speaks no TLS is cut off, with an alert at most", arguments: strangers.indices)
    func garbage(_ index: Int) {
        let (socket, client) = begin()
        client.peer.send(Self.strangers[index])
        stage.turn { !socket.events.isEmpty }
        guard case .failed = socket.events.first else {
            Issue.record("\(socket.events)")
            return
        }
        var said: [UInt8] = []
        while let bytes = client.peer.read(), !bytes.isEmpty { said += bytes }
        #expect(said.isEmpty || (said[0] == 21 && said.count == 7), "\(said)")
        client.peer.hangUp()
        #expect(stage.turn { socket.events.last == .closed })
        #expect(socket.receivedBytes.isEmpty)
    }

    @Test("a ClientHello of random bytes never does more than fail", arguments: 0..<20)
    func randomHello(_ seed: Int) {
        var generator = SeededGenerator(seed: UInt64(seed))
        for _ in 0..<20 {
            let (socket, client) = begin()
            var hello = client.step()
            for _ in 0..<Int.random(in: 1...8, using: &generator) {
                hello[Int.random(in: 0..<hello.count, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
            }
            client.peer.send(hello)
            stage.turn()
            client.peer.hangUp()
            #expect(stage.turn { socket.events.last == .closed })
        }
    }

    @Test("a damaged record closes the connection after the data before it")
    func damagedRecord() {
        let (socket, client) = pair()
        var second = client.encrypt([2])
        let first = client.encrypt([1])
        second[second.count - 1] ^= 1
        client.peer.send(second + first)
        stage.turn { socket.events.last == .closed }
        #expect(socket.events == [.secured, .closed])
    }

    @Test("a reset in the handshake, at each of its steps, closes the socket", arguments: 0..<3)
    func resetInHandshake(_ steps: Int) throws {
        let (socket, peer) = try stage.tcpPair()
        socket.startTLS(TestCertificates.context)
        let client = TLSPeer(peer)
        for _ in 0..<steps {
            peer.send(client.step())
            stage.turn()
        }
        peer.reset()
        #expect(stage.turn { socket.events.last == .closed })
    }

    @Test("a peer that asks for key changes and reads no answer is cut off")
    func keyUpdates() {
        let (socket, client) = pair(room: 4_096)
        for _ in 0..<50_000 where socket.events.last != .closed {
            let update = client.keyUpdate()
            let sent = send(client.peer.descriptor, update, update.count, Int32(MSG_DONTWAIT) | Int32(MSG_NOSIGNAL))
            if sent < update.count { break }
            stage.turn()
        }
        #expect(stage.turn { socket.events.last == .closed })
    }

    @Test("thousands of complete, broken and failed handshakes leave nothing behind")
    func leaks() {
        func round(_ count: Int) {
            for index in 0..<count {
                let (socket, client) = begin()
                weak let session = socket.tls
                #expect(session != nil)
                switch index % 3 {
                case 0: shakeHands(socket, client)
                case 1: client.peer.send(client.step())
                default: client.peer.send([1, 2, 3, 4, 5, 6])
                }
                stage.turn()
                client.peer.hangUp()
                stage.turn { socket.events.last == .closed }
                #expect(session == nil)
            }
        }
        round(100)
        // A leaked session is more than 6 KiB. Other tests run at the same time, but not in each of the rounds.
        let growth = (0..<5).map { _ in
            let before = Self.residentBytes()
            round(900)
            return Self.residentBytes() - before
        }
        #expect(growth.min()! < 2 << 20, "\(growth)")
    }

    private static func residentBytes() -> Int {
        guard let file = fopen("/proc/self/statm", "r") else { return 0 }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 128)
        fgets(&line, Int32(line.count), file)
        let text = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return (text.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0) << 12
    }

    /// The number of records in a stream of encrypted bytes (RFC 8446, section 5.1).
    private static func records(in bytes: [UInt8]) -> Int {
        var count = 0
        var offset = 0
        while offset + 5 <= bytes.count {
            offset += 5 + Int(bytes[offset + 3]) << 8 + Int(bytes[offset + 4])
            count += 1
        }
        return count
    }
}

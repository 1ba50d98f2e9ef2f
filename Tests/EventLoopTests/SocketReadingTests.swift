// The arrival of bytes: in the loop's one buffer, and only while reading is on.

import CLinux
import Glibc
import PerigeeTestKit
import SeededGenerator
import Testing

@testable import EventLoop

@Suite("Socket: reading", .bounded)
struct SocketReadingTests {
    private let stage = Stage()

    /// Then it gets everything.
    @Test("a paused socket gets nothing until it reads again")
    func paused() {
        let (socket, peer) = stage.pair()
        socket.setReading(false)
        peer.send([1])
        peer.send([2])
        for _ in 0..<3 { stage.turn() }
        #expect(socket.events.isEmpty)
        socket.setReading(true)
        stage.turn()
        #expect(socket.receivedBytes == [1, 2])
    }

    @Test("a socket that pauses while it receives still writes its answer")
    func pausedWrites() {
        let (socket, peer) = stage.pair(room: 4_096)
        socket.react = { socket, event in
            guard case .bytes = event else { return }
            socket.setReading(false)
            socket.write([UInt8](repeating: 3, count: 50_000))
        }
        peer.send([1])
        var received = 0
        stage.turn {
            received += peer.readAll().count
            return received == 50_000
        }
        #expect(received == 50_000)
    }

    @Test("more than a receive buffer arrives in several turns, whole and in order")
    func large() throws {
        let (socket, peer) = try stage.tcpPair()
        var generator = SeededGenerator(seed: 1)
        let bytes = generator.bytes(EventLoop.receiveCapacity * 2 + 77)
        var sent = 0
        stage.turn {
            let wanted = min(bytes.count - sent, 100_000)
            let count = bytes.withUnsafeBytes {
                send(peer.descriptor, $0.baseAddress! + sent, wanted, Int32(MSG_DONTWAIT))
            }
            sent += max(0, count)
            return socket.events.reduce(0) { if case .bytes(let piece) = $1 { $0 + piece.count } else { $0 } }
                == bytes.count
        }
        #expect(socket.receivedBytes == bytes)
    }

    @Test("bytes may be changed in place in the loop's buffer")
    func inPlace() {
        final class Unmasking: Socket {
            override func received(_ bytes: UnsafeMutableRawBufferPointer) {
                for index in bytes.indices { bytes[index] ^= 0xFF }
                write(UnsafeRawBufferPointer(bytes))
            }
        }
        let pair = SocketPair()
        let socket = Unmasking(descriptor: pair.near, peer: SocketAddress(host: "::1", port: 1)!, on: stage.loop)
        let peer = Peer(descriptor: pair.far)
        peer.send([0x00, 0x0F])
        stage.turn()
        #expect(peer.readAll() == [0xFF, 0xF0])
        withExtendedLifetime(socket) {}
    }
}

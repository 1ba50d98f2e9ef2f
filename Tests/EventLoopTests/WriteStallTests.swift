// Peers that do not read are found in time, and slow readers are not mistaken for them.

import Glibc
import Testing

@testable import EventLoop

@Suite("Write stalls", .bounded)
struct WriteStallTests {
    private let socket = Token(slot: 3, generation: 1)

    @Test("a socket without progress for the limit is reported as stalled, once")
    func stalls() {
        var stalls = WriteStalls()
        stalls.progressed(socket, at: 1_000)
        #expect(stalls.stalled(at: 1_099, for: 100) { _ in 50 } == [])
        #expect(stalls.stalled(at: 1_100, for: 100) { _ in 50 } == [socket])
        #expect(stalls.isEmpty)
    }

    @Test("bytes taken by the kernel and acknowledgements are progress")
    func progress() {
        var stalls = WriteStalls()
        stalls.progressed(socket, at: 0)
        stalls.progressed(socket, at: 90)
        #expect(stalls.stalled(at: 180, for: 100) { _ in 50 } == [])
        #expect(stalls.stalled(at: 185, for: 100) { _ in 49 } == [])
        #expect(stalls.stalled(at: 284, for: 100) { _ in 49 } == [])
        #expect(stalls.stalled(at: 285, for: 100) { _ in 49 } == [socket])
    }

    @Test("a socket that is no longer blocked, or gone, is forgotten")
    func forgets() {
        var stalls = WriteStalls()
        stalls.progressed(socket, at: 0)
        stalls.end(socket)
        #expect(stalls.isEmpty)
        stalls.progressed(socket, at: 0)
        #expect(stalls.stalled(at: 1_000, for: 100) { _ in nil } == [])
        #expect(stalls.isEmpty)
    }

    @Test("a peer that never reads is cut off after the write timeout, others not")
    func hangsUp() {
        let stage = Stage()
        stage.loop.writeTimeout = 60
        let (idle, idlePeer) = stage.pair()
        let (socket, peer) = stage.pair(room: 4_096)
        idle.write([1])
        socket.write([UInt8](repeating: 7, count: 400_000))
        #expect(stage.turn { socket.events.contains(.closed) })
        #expect(!idle.events.contains(.closed))
        #expect(idlePeer.readAll() == [1])
        withExtendedLifetime(peer) {}
    }

    @Test("a peer that reads a little at times is not cut off and gets everything")
    func readsSlowly() {
        let stage = Stage()
        stage.loop.writeTimeout = 200
        let (socket, peer) = stage.pair(room: 4_096)
        let bytes = (0..<60_000).map { UInt8(truncatingIfNeeded: $0 / 7) }
        socket.write(bytes)
        var received: [UInt8] = []
        var readAt = stage.loop.now
        stage.turn {
            guard stage.loop.now - readAt >= 50 else { return false }
            readAt = stage.loop.now
            received += peer.read(atMost: 4_000) ?? []
            return received.count == bytes.count || socket.events.contains(.closed)
        }
        #expect(received == bytes)
        let end = stage.loop.now
        stage.turn { stage.loop.now - end > 300 }
        #expect(!socket.events.contains(.closed), "a peer that has read everything is not waited for")
    }

    @Test("without a write timeout no peer is cut off and no timer runs")
    func off() {
        let stage = Stage()
        let (socket, peer) = stage.pair(room: 4_096)
        socket.write([UInt8](repeating: 7, count: 400_000))
        stage.turn()
        #expect(socket.isBlocked && stage.loop.stalls.isEmpty)
        #expect(stage.sleeps)
        withExtendedLifetime(peer) {}
    }
}

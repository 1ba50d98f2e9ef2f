// A preamble, which a proxy on the way has put in front of a connection's own bytes: it is read separately, wherever
// the pieces are cut.

import EventLoop
import Glibc
import PerigeeTestKit
import Testing

@Suite("Socket: preamble", .bounded)
struct SocketPreambleTests {
    /// Takes everything up to a full stop as the preamble; a question mark in it is a mistake.
    private final class Introduced: Socket {
        private(set) var introduction: [UInt8] = []
        private(set) var own: [UInt8] = []
        private(set) var isClosed = false

        override func receivedPreamble(_ bytes: UnsafeRawBufferPointer) -> Int? {
            if bytes.contains(UInt8(ascii: "?")) {
                abort()
                return nil
            }
            let end = bytes.firstIndex(of: UInt8(ascii: ".")).map { $0 + 1 }
            introduction += bytes[..<(end ?? bytes.count)]
            return end
        }

        override func received(_ bytes: UnsafeMutableRawBufferPointer) { own += bytes }
        override func didClose() { isClosed = true }
    }

    private let stage = Stage()

    private func pair() -> (socket: Introduced, peer: Peer) {
        let pair = SocketPair()
        let socket = Introduced(descriptor: pair.near, peer: .unix, on: stage.loop)
        socket.expectPreamble()
        return (socket, Peer(descriptor: pair.far))
    }

    @Test("it ends at the socket's word on every split of the bytes", arguments: 0...11)
    func pieces(cut: Int) {
        let (socket, peer) = pair()
        let bytes = Array("hello.world".utf8)
        for piece in [bytes[..<cut], bytes[cut...]] where !piece.isEmpty {
            peer.send(Array(piece))
            stage.turn()
        }
        #expect(socket.introduction == Array("hello.".utf8))
        #expect(socket.own == Array("world".utf8))
        #expect(!socket.awaitsPreamble)
        #expect(peer.readAll() == [])
    }

    @Test("later bytes that look like a preamble are the connection's own")
    func once() {
        let (socket, peer) = pair()
        peer.send(Array("a.b.".utf8))
        stage.turn()
        peer.send(Array("c.".utf8))
        stage.turn()
        #expect(socket.introduction == Array("a.".utf8) && socket.own == Array("b.c.".utf8))
    }

    /// None of it is received.
    @Test("a refused preamble ends the connection")
    func refused() {
        let (socket, peer) = pair()
        peer.send(Array("who? me.".utf8))
        stage.turn()
        #expect(socket.isClosed && socket.own == [])
        #expect(peer.read() == nil)
    }

    @Test("a socket that is closed meanwhile drops the rest of its preamble")
    func finished() {
        let (socket, peer) = pair()
        peer.send(Array("a".utf8))
        stage.turn()
        socket.finish()
        peer.send(Array("b.c".utf8))
        stage.turn()
        #expect(socket.introduction == Array("a".utf8) && socket.own == [])
        peer.hangUp()
        #expect(stage.turn { socket.isClosed })
    }
}

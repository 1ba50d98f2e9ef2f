// RawSocket: reading, deadlines, sending, and the ends of a connection.

import Glibc
import PerigeeTestKit
import Testing

@Suite("RawSocket", .bounded)
struct RawSocketTests {
    @Test("reads to a count, to a delimiter and to the end, in turn")
    func reads() throws {
        let listener = Listener()
        let socket = try RawSocket.connect(port: listener.port)
        let peer = listener.accept()
        peer.send("abcline\r\nrest")
        #expect(try socket.read(count: 3) == Array("abc".utf8))
        #expect(try socket.read(until: "\r\n") == Array("line\r\n".utf8))
        shutdown(peer.descriptor, Int32(SHUT_WR))
        #expect(try socket.readToEnd() == Array("rest".utf8))
    }

    @Test("names the expected bytes and shows the received ones at a deadline")
    func deadline() throws {
        let listener = Listener()
        let socket = try RawSocket.connect(port: listener.port, timeout: .milliseconds(20))
        let peer = listener.accept()
        peer.send("abc")
        let error = #expect(throws: ClientError.self) { try socket.read(until: "\r\n") }
        #expect(error == .deadline(waitingFor: #"the delimiter "\r\n""#, got: Array("abc".utf8)))
        #expect(error?.description == #"time is over waiting for the delimiter "\r\n"; got "abc""#)
        _ = peer
    }

    @Test("tells an early end from an early reset")
    func ends() throws {
        let listener = Listener()
        let first = try RawSocket.connect(port: listener.port)
        listener.accept().send("ab")
        #expect(throws: ClientError.ended(waitingFor: "3 bytes", got: Array("ab".utf8))) { try first.read(count: 3) }
        let second = try RawSocket.connect(port: listener.port)
        try second.send("unread")
        var peer: Peer? = listener.accept()
        var entry = pollfd(fd: peer!.descriptor, events: Int16(POLLIN), revents: 0)
        poll(&entry, 1, 1000)
        peer = nil
        #expect(throws: ClientError.reset(waitingFor: "1 bytes", got: [])) { try second.read(count: 1) }
    }

    /// Its reset reaches the peer.
    @Test("receives after it half-closes")
    func endings() throws {
        let listener = Listener()
        let socket = try RawSocket.connect(port: listener.port)
        let peer = listener.accept()
        try socket.send("x")
        try socket.shutdownWrite()
        #expect(peer.read() == Array("x".utf8))
        #expect(peer.read() == [])
        peer.send("y")
        #expect(try socket.read(count: 1) == Array("y".utf8))
        let other = try RawSocket.connect(port: listener.port)
        let otherPeer = listener.accept()
        try other.reset()
        #expect(otherPeer.read() == [] && errno == ECONNRESET)
        #expect(throws: ClientError.self) { try other.send("late") }
        #expect(throws: ClientError.self) { try other.read(count: 1) }
    }

    @Test("sends in pieces and names the size when the peer takes no more")
    func sends() throws {
        let listener = Listener()
        let socket = try RawSocket.connect(port: listener.port, timeout: .milliseconds(50))
        let peer = listener.accept()
        try socket.send(Array("abcde".utf8), inPiecesOf: 2)
        var got: [UInt8] = []
        while got.count < 5 { got += peer.read() }
        #expect(got == Array("abcde".utf8))
        let error = #expect(throws: ClientError.self) { try socket.send([UInt8](repeating: 0, count: 64 << 20)) }
        #expect(error?.description.contains("to take 67108864 bytes") == true)
    }

    @Test("names the address of a refused connection in its error")
    func refused() throws {
        let port = Listener().port
        let error = #expect(throws: ClientError.self) { try RawSocket.connect(port: port) }
        #expect(error == .system(call: "connect to 127.0.0.1:\(port)", code: ECONNREFUSED))
    }
}

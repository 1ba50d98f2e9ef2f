// Requests that stream on a connection that a test drives by hand: backpressure, bodies that break, and the order of requests.

import HTTP1
import Testing

@testable import Admin

@Suite("Admin: requests that stream", .bounded)
struct StreamTests {
    private static let stream =
        "POST /stream HTTP/1.1\r\nHost: h\r\nX-Request-Id: s\r\nTransfer-Encoding: chunked\r\n\r\n"

    @Test("a reader that is full stops the reading and so the sender")
    func fullReader() throws {
        let hand = HandAdmin()
        let peer = hand.connect()
        peer.send(Self.stream)
        let chunk = Array("10000\r\n".utf8) + [UInt8](repeating: 0x78, count: 1 << 16) + Array("\r\n".utf8)
        var input = ArraySlice((0..<200).flatMap { _ in chunk })
        let size = input.count
        for _ in 0..<200 {
            input = input.dropFirst(peer.send(input.prefix(1 << 16)))
            hand.turn()
        }
        let reader = try #require(hand.readers.first)
        #expect(reader.isFull && !reader.isPressed)
        #expect(input.count > size - (4 << 20), "the sender is not slowed down")
        for _ in 0..<5_000 where !input.isEmpty {
            for reader in hand.full { reader.goOn() }
            input = input.dropFirst(peer.send(input.prefix(1 << 16)))
            hand.turn()
            peer.read()
        }
        peer.send("0\r\n\r\n")
        for _ in 0..<500 where peer.rest > 0 || reader.ends == 0 {
            for reader in hand.full { reader.goOn() }
            hand.turn()
            peer.read()
            if let answer = peer.next() { #expect(answer.body.count == 200 << 16 && !answer.isLast) }
        }
        #expect(reader.ends == 1 && reader.failure == nil && !reader.isPressed && peer.rest == 0)
    }

    @Test("a reader that is full at the end of a body hears of the end", arguments: [false, true])
    func fullAtEnd(isCut: Bool) throws {
        let hand = HandAdmin()
        let peer = hand.connect()
        peer.send("POST /stream HTTP/1.1\r\nHost: h\r\nX-Request-Id: s\r\nContent-Length: 3\r\n\r\n")
        for piece in ["a", "b", "c"] {
            hand.turn()
            peer.send(piece)
        }
        if isCut { peer.closeWriting() }
        hand.turn(3)
        let reader = try #require(hand.readers.first)
        #expect(reader.isFull && reader.ends == 0)
        reader.goOn()
        hand.turn(3)
        #expect(reader.ends == 1 && reader.failure == nil)
        peer.read()
        #expect(try #require(peer.next()).body == Array("abc".utf8))
    }

    /// Bytes behind the head → the error that the reader hears.
    private static let breaks: [(bytes: String, isCut: Bool, code: String)] = [
        ("3\r\nabc\r\n", true, "bad_request"), ("", true, "bad_request"), ("3\r\nab", true, "bad_request"),
        ("3\r\nabc\r\nno size\r\n", false, "bad_request"), ("3\r\nabc\r\n", false, "request_timeout"),
        ("", false, "request_timeout"),
    ]

    @Test(
        "a body that breaks, is cut off or falls silent ends once",
        arguments: breaks.indices)
    func brokenStream(row: Int) throws {
        let (bytes, isCut, code) = Self.breaks[row]
        let hand = HandAdmin()
        let peer = hand.connect()
        peer.send(Self.stream + bytes)
        if isCut { peer.closeWriting() }
        hand.turn(3)
        // Silence is measured from the last byte on.
        if code == "request_timeout" {
            hand.clock.now += hand.requestTimeout / 2
            hand.turn(2)
            #expect(hand.readers.first?.ends == 0)
            hand.clock.now += hand.requestTimeout
            hand.turn(5)
        }
        let reader = try #require(hand.readers.first)
        #expect(reader.ends == 1 && reader.failure?.code == code)
        peer.read()
        let answer = try #require(peer.next())
        #expect(answer.id == "s")
        #expect(hand.timedOut == (code == "request_timeout" ? 1 : 0))
        #expect(peer.hasEnded && peer.rest == 0)
        peer.close()
        hand.turn(5)
        #expect(hand.connection == nil && reader.ends == 1)
    }

    @Test("a streaming request waits for earlier answers, and holds later ones")
    func streamOrder() throws {
        let hand = HandAdmin()
        let peer = hand.connect()
        peer.send(AdminConnectionTests.post(0) + Self.stream + "3\r\nabc\r\n")
        hand.turn(3)
        #expect(hand.begun.count == 1 && hand.readers.isEmpty)
        hand.answer(hand.begun[0])
        hand.turn(3)
        #expect(hand.begun.count == 2 && hand.begun[1].body == Array("abc".utf8))
        peer.send("0\r\n\r\n" + AdminConnectionTests.post(2))
        hand.turn(3)
        #expect(hand.begun.count == 3 && hand.begun[1].isAnswered)
        hand.answer(hand.begun[2])
        hand.turn(3)
        peer.read()
        #expect(try (0..<3).map { _ in try #require(peer.next()).body.count } == [0, 3, 0])
        #expect(hand.failure == nil && peer.rest == 0)
    }
}

// Several requests on one connection, and the state between them.

import HTTP1
import SeededGenerator
import Testing

@Suite("Pipelining", .bounded)
struct PipelineTests {
    @Test("reads every good request of one connection, one after the other")
    func readsAll() {
        let text = GoodRequest.all.map(\.text).joined()
        let seen = Observation(text)
        #expect(seen.failure == nil)
        #expect(seen.requests.map { GoodRequest.summary(of: $0.head) } == GoodRequest.all.map(\.summary))
        #expect(seen.requests.map { String(decoding: $0.body, as: UTF8.self) } == GoodRequest.all.map(\.body))
        #expect(seen.endsIdle)
    }

    @Test("reads a pipeline alike in pieces of any size")
    func readsInPieces() {
        var generator = SeededGenerator(seed: 7)
        let bytes = Array(GoodRequest.all.map(\.text).joined().utf8)
        let whole = Observation([bytes])
        for longest in [1, 2, 3, 10, 100, 1000] {
            #expect(Observation(generator.pieces(bytes, longest: longest)) == whole)
        }
    }

    @Test("ignores one empty line between requests and refuses two")
    func emptyLineBetween() {
        let request = "GET / HTTP/1.1\r\nHost: h\r\n\r\n"
        #expect(Observation(request + "\r\n" + request).requests.count == 2)
        #expect(Observation(request + "\r\n\r\n" + request).failure == .badRequestLine)
    }

    @Test("is idle only between requests")
    func idleness() {
        var parser = RequestParser()
        func feed(_ text: String) -> Bool {
            let bytes = Array(text.utf8)
            var offset = 0
            while parser.next(bytes.span.bytes, from: &offset) != .needMore {}
            return parser.isIdle
        }
        #expect(parser.isIdle)
        #expect(feed(""))
        #expect(!feed("P"))
        #expect(!feed("OST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n"))
        #expect(!feed("h"))
        #expect(feed("i"))
        #expect(feed("\r\n"))
        #expect(!feed("G"))
    }

    @Test("leaves the bytes behind a head to the protocol that takes over")
    func stopsBehindHead() {
        let head = "GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
        let input = Array("\(head)\u{1}\u{2}".utf8)
        var parser = RequestParser()
        var offset = 0
        guard case .head(let read) = parser.next(input.span.bytes, from: &offset) else {
            Issue.record("no head")
            return
        }
        #expect(offset == head.utf8.count)
        #expect(read.bytes == Array(head.utf8))
        #expect(parser.next(input.span.bytes, from: &offset) == .end)
        #expect(offset == head.utf8.count)
    }

    @Test("stays small while no head is half read")
    func size() {
        #expect(MemoryLayout<RequestParser>.size <= 96)
    }
}

// Each limit: the parser accepts a request at the limit and refuses one byte or field more, however the input is cut.

import HTTP1
import Testing
import TimeBound

@Suite("Request limits", .bounded)
struct LimitTests {
    private static let limits = {
        var limits = HTTPLimits()
        limits.maxRequestLine = 40
        limits.maxHead = 100
        limits.maxFields = 4
        limits.maxBody = 10
        limits.maxChunkExtensions = 8
        return limits
    }()

    /// The parser's error for a text, the same for every cut of it.
    private func failure(_ text: String) -> HTTPError? {
        let bytes = Array(text.utf8)
        let whole = Observation([bytes], limits: Self.limits)
        for pieces in Cuts.everywhere(bytes) { #expect(Observation(pieces, limits: Self.limits) == whole) }
        #expect(Observation(Cuts.byteByByte(bytes), limits: Self.limits) == whole)
        return whole.failure
    }

    private func chunked(_ body: String) -> String {
        "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n\(body)"
    }

    @Test("a body may get a limit of its own when its head is there")
    func bodyOfItsOwn() {
        /// The last event after a head whose body gets the limit; nil where the head says that it is longer.
        func end(_ text: String, limit: Int) -> RequestParser.Event? {
            var limits = HTTPLimits()
            limits.maxBody = .max
            var parser = RequestParser(limits: limits)
            let bytes = Array(text.utf8)
            var offset = 0
            while true {
                switch parser.next(bytes.span.bytes, from: &offset) {
                case .head: guard parser.limitBody(to: limit) else { return nil }
                case .body: continue
                case let event: return event
                }
            }
        }
        let length = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\n0123456789"
        let chunks = chunked("4\r\n0123\r\n6\r\n456789\r\n0\r\n\r\n")
        #expect(end(length, limit: 10) == .end && end(chunks, limit: 10) == .end)
        #expect(end(length, limit: 9) == nil && end(chunks, limit: 9) == .failure(.bodyTooLarge))
        #expect(end("GET / HTTP/1.1\r\nHost: h\r\n\r\n", limit: 0) == .end)
        #expect(end(chunks, limit: .max) == .end)
    }

    @Test("closes with 414 when the request line is over its limit")
    func requestLine() {
        func request(_ length: Int) -> String {
            "GET /\(String(repeating: "a", count: length - 14)) HTTP/1.1\r\nHost: h\r\n\r\n"
        }
        #expect(failure(request(40)) == nil)
        #expect(failure(request(41)) == .uriTooLong)
        #expect(failure("GET /\(String(repeating: "a", count: 200))") == .uriTooLong)
        #expect(HTTPError.uriTooLong.status == 414)
    }

    @Test("closes with 431 as soon as the head exceeds its limit")
    func head() {
        func request(_ length: Int, cutTo count: Int = .max) -> String {
            let text = "GET / HTTP/1.1\r\nHost: h\r\nA: \(String(repeating: "a", count: length - 32))\r\n\r\n"
            return String(decoding: text.utf8.prefix(count), as: UTF8.self)
        }
        #expect(request(100).utf8.count == 100)
        #expect(failure(request(100)) == nil)
        #expect(failure(request(101)) == .headTooLarge)
        #expect(failure(request(200, cutTo: 100)) == .headTooLarge)
        #expect(failure(request(200, cutTo: 99)) == nil)
        #expect(HTTPError.headTooLarge.status == 431)
    }

    @Test("closes with 431 when there are more fields than the limit")
    func fields() {
        func request(_ count: Int) -> String {
            "GET / HTTP/1.1\r\nHost: h\r\n\(String(repeating: "A: b\r\n", count: count - 1))\r\n"
        }
        #expect(failure(request(4)) == nil)
        #expect(failure(request(5)) == .tooManyFields)
        #expect(HTTPError.tooManyFields.status == 431)
    }

    @Test("closes with 413 at the head when the declared length is over the limit")
    func declaredBody() {
        func request(_ length: Int) -> String { "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: \(length)\r\n\r\n" }
        #expect(failure(request(10) + "0123456789") == nil)
        #expect(failure(request(11)) == .bodyTooLarge)
        #expect(Observation(request(11), limits: Self.limits).requests.isEmpty)
        #expect(HTTPError.bodyTooLarge.status == 413)
    }

    @Test("closes with 413 when chunks add up to more than the limit")
    func chunkedBody() {
        #expect(failure(chunked("5\r\nhello\r\n5\r\nworld\r\n0\r\n\r\n")) == nil)
        #expect(failure(chunked("5\r\nhello\r\n6\r\nworld!\r\n0\r\n\r\n")) == .bodyTooLarge)
        #expect(failure(chunked("b\r\n")) == .bodyTooLarge)
    }

    @Test("counts the extensions of all chunks of a body together")
    func extensions() {
        #expect(failure(chunked("1;abcd\r\nx\r\n1;efgh\r\nx\r\n0\r\n\r\n")) == nil)
        #expect(failure(chunked("1;abcd\r\nx\r\n1;efghi\r\nx\r\n0\r\n\r\n")) == .badChunk)
        #expect(failure(chunked("1;\(String(repeating: "a", count: 100))")) == .badChunk)
    }

    @Test("holds trailers to the limits of a head")
    func trailers() {
        #expect(failure(chunked("0\r\n\(String(repeating: "A: b\r\n", count: 4))\r\n")) == nil)
        #expect(failure(chunked("0\r\n\(String(repeating: "A: b\r\n", count: 5))\r\n")) == .tooManyFields)
        #expect(failure(chunked("0\r\nA: \(String(repeating: "a", count: 93))\r\n\r\n")) == nil)
        #expect(failure(chunked("0\r\nA: \(String(repeating: "a", count: 94))\r\n\r\n")) == .headTooLarge)
    }

    @Test(
        "reads a long head byte by byte without looking at a byte again",
        .timeLimit(.minutes(TimeBound.isSanitized ? 20 : 1)))
    func longHead() {
        var limits = HTTPLimits()
        limits.maxHead = 200_000
        let text = "GET / HTTP/1.1\r\nHost: h\r\nA: \(String(repeating: "a", count: 150_000))\r\n\r\n"
        // Scanning all bytes again for each new one would take ten billion steps.
        #expect(Observation(text.utf8.map { [$0] }, limits: limits).requests.count == 1)
    }

    @Test("refuses everything when a limit is 0, without a trap")
    func zeroes() {
        var limits = HTTPLimits()
        limits.maxHead = 0
        #expect(Observation("GET / HTTP/1.1\r\n", limits: limits).failure == .headTooLarge)
        limits = HTTPLimits()
        limits.maxRequestLine = 0
        #expect(Observation("GET / HTTP/1.1\r\n", limits: limits).failure == .uriTooLong)
        limits = HTTPLimits()
        limits.maxFields = 0
        #expect(Observation("GET / HTTP/1.1\r\nHost: h\r\n\r\n", limits: limits).failure == .tooManyFields)
    }

    @Test("reopens a head that today's limits would refuse")
    func reopensLongHead() {
        let path = String(repeating: "a", count: 20_000)
        let fields = String(repeating: "A: b\r\n", count: 200)
        let bytes = Array("POST /\(path) HTTP/1.1\r\nHost: h\r\n\(fields)Content-Length: 99999999\r\n\r\n".utf8)
        #expect(Observation([bytes]).failure == .uriTooLong)
        #expect(RequestHead(validated: bytes)?.fields.count == 202)
    }
}

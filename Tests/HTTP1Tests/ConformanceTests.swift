// The tables of good and bad requests, each request whole and cut in every way.

import HTTP1
import Testing

@Suite("Request conformance", .bounded)
struct ConformanceTests {
    @Test("accepts what RFC 9112 allows and reads it correctly", arguments: GoodRequest.all)
    func accepts(_ row: GoodRequest) throws {
        let seen = Observation(row.text)
        #expect(seen.failure == nil)
        #expect(seen.endsIdle)
        let request = try #require(seen.requests.first)
        #expect(seen.requests.count == 1)
        #expect(GoodRequest.summary(of: request.head) == row.summary)
        #expect(String(decoding: request.body, as: UTF8.self) == row.body)
        #expect(request.isComplete)
    }

    @Test("reads a request the same way however it is cut", arguments: GoodRequest.all)
    func survivesCuts(_ row: GoodRequest) {
        let bytes = Array(row.text.utf8)
        let whole = Observation([bytes])
        for pieces in Cuts.everywhere(bytes) { #expect(Observation(pieces) == whole) }
        #expect(Observation(Cuts.byteByByte(bytes)) == whole)
    }

    @Test("refuses malformed and ambiguous requests with the reason", arguments: BadRequest.all)
    func refuses(_ row: BadRequest) {
        let seen = Observation([row.bytes])
        #expect(seen.failure == row.error)
        #expect(seen.requests.allSatisfy { !$0.isComplete })
        #expect(!seen.endsIdle)
    }

    @Test("refuses a request the same way however it is cut", arguments: BadRequest.all)
    func refusesCuts(_ row: BadRequest) {
        let whole = Observation([row.bytes])
        for pieces in Cuts.everywhere(row.bytes) { #expect(Observation(pieces) == whole) }
        #expect(Observation(Cuts.byteByByte(row.bytes)) == whole)
    }

    @Test("reads a bad request behind a good one as two, never as one", arguments: BadRequest.all)
    func refusesBehindGood(_ row: BadRequest) {
        let good = Array("POST /good HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nhi".utf8)
        let seen = Observation([good + row.bytes])
        #expect(seen.requests.first?.isComplete == true)
        #expect(seen.failure == row.error)
    }

    @Test("refuses garbage before a line ends", arguments: [[0x16], [0xFF], [0x00], [0x7B], Array("GET\t".utf8)])
    func refusesEarly(_ bytes: [UInt8]) {
        #expect(Observation([bytes]).failure == .badRequestLine)
    }

    @Test("reopens every accepted head from its bytes alone", arguments: GoodRequest.all)
    func reopens(_ row: GoodRequest) throws {
        let head = try #require(Observation(row.text).requests.first?.head)
        let reopened = try #require(RequestHead(validated: head.bytes))
        #expect(GoodRequest.summary(of: reopened) == row.summary)
        #expect(reopened.expectsContinue == head.expectsContinue)
    }

    @Test("does not reopen bytes that never were a head", arguments: BadRequest.all)
    func doesNotReopen(_ row: BadRequest) {
        // A head may be good and only its body bad or too long.
        let isHead =
            [HTTPError.bodyTooLarge, .badChunk].contains(row.error) || !Observation([row.bytes]).requests.isEmpty
        if !isHead { #expect(RequestHead(validated: row.bytes) == nil) }
        #expect(RequestHead(validated: Array("GET / HTTP/1.1\r\nHost: h\r\n\r\nmore".utf8)) == nil)
        #expect(RequestHead(validated: Array("GET / HTTP/1.1\r\nHost: h\r\n".utf8)) == nil)
    }
}

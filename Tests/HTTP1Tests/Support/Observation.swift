// What a parser says about some input, written down so that two ways of cutting the same input can be compared.

import HTTP1
import Testing

/// All that a parser said about a connection's bytes, with nothing in it that depends on how they were cut.
struct Observation: Equatable {
    /// A request as far as it was received.
    struct Request: Equatable {
        var head: RequestHead
        var body: [UInt8] = []
        var isComplete = false
    }

    var requests: [Request] = []
    var failure: HTTPError?
    var endsIdle = false

    /// Feeds a fresh parser with pieces, and holds it to its contract at each step.
    init(_ pieces: [[UInt8]], limits: HTTPLimits = HTTPLimits()) {
        var parser = RequestParser(limits: limits)
        for piece in pieces where failure == nil { feed(piece, to: &parser) }
        endsIdle = parser.isIdle
    }

    init(_ text: String, limits: HTTPLimits = HTTPLimits()) {
        self.init([Array(text.utf8)], limits: limits)
    }

    private mutating func feed(_ piece: [UInt8], to parser: inout RequestParser) {
        let input = piece.span.bytes
        var offset = 0
        // Each call but two per request consumes a byte, so more calls than this are a parser that turns in place.
        for _ in 0...(3 * piece.count + 3) {
            let before = offset
            let event = parser.next(input, from: &offset)
            #expect(before...piece.count ~= offset, "the offset stays in the input and never goes back")
            switch event {
            case .needMore:
                #expect(offset == piece.count, "all input is consumed before more is asked for")
                return
            case .head(let head):
                requests.append(Request(head: head))
            case .body(let range):
                #expect(!range.isEmpty && before <= range.lowerBound && range.upperBound == offset)
                requests[requests.count - 1].body += piece[range]
            case .end:
                requests[requests.count - 1].isComplete = true
            case .failure(let error):
                failure = error
                #expect(parser.next(input, from: &offset) == .failure(error), "a failure is for good")
                return
            }
        }
        Issue.record("the parser makes no progress")
    }
}

/// The ways of cutting bytes that every row of a table has to survive.
enum Cuts {
    /// Two pieces, at every offset.
    static func everywhere(_ bytes: [UInt8]) -> [[[UInt8]]] {
        bytes.indices.dropFirst().map { [Array(bytes[..<$0]), Array(bytes[$0...])] }
    }

    /// One byte at a time, with an empty piece now and then.
    static func byteByByte(_ bytes: [UInt8]) -> [[UInt8]] {
        bytes.enumerated().flatMap { $0 % 7 == 0 ? [[], [$1]] : [[$1]] }
    }
}

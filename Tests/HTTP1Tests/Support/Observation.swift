// The events of a parser, recorded so that the results of two ways of cutting the same input can be compared.

import HTTP1
import SeededGenerator
import Testing

/// All events for the bytes of a connection, without anything that depends on the cuts.
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

    /// Feeds a new parser with pieces, and checks its contract at each step.
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
        // Each call except two per request consumes a byte, so a parser that needs more calls makes no progress.
        for _ in 0...(3 * piece.count + 3) {
            let before = offset
            let event = parser.next(input, from: &offset)
            #expect(before...piece.count ~= offset, "the offset stays in the input and never goes back")
            switch event {
            case .needMore:
                #expect(offset == piece.count, "the parser consumes all input before it asks for more")
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
                #expect(parser.next(input, from: &offset) == .failure(error), "a failure is final")
                return
            }
        }
        Issue.record("the parser makes no progress")
    }
}

/// The ways of cutting bytes that every row of a table must survive.
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

extension SeededGenerator {
    /// The bytes cut into pieces of at most `longest`.
    mutating func pieces(_ bytes: [UInt8], longest: Int) -> [[UInt8]] {
        var pieces: [[UInt8]] = []
        var start = 0
        while start < bytes.count {
            let end = min(bytes.count, start + Int.random(in: 1...longest, using: &self))
            pieces.append(Array(bytes[start..<end]))
            start = end
        }
        return pieces
    }
}

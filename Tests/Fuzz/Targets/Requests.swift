// HTTP requests, those of the clients' port and of the admin API alike: how the bytes are cut makes no difference, no
// limit is passed, and a head that was accepted is accepted again.

import HTTP1

/// All that a parser says about a connection's bytes, with nothing in it that depends on how they were cut.
struct HTTPTranscript: Equatable {
    struct Request: Equatable {
        var head: RequestHead
        var body: [UInt8] = []
        var isComplete = false
    }

    private(set) var requests: [Request] = []
    private(set) var failure: HTTPError?
    private(set) var endsIdle = false

    init(_ pieces: [[UInt8]], limits: HTTPLimits) {
        var parser = RequestParser(limits: limits)
        for piece in pieces where failure == nil { feed(piece, to: &parser) }
        endsIdle = parser.isIdle
    }

    private mutating func feed(_ piece: [UInt8], to parser: inout RequestParser) {
        let input = piece.span.bytes
        var offset = 0
        // Each call but two per request consumes a byte, so more calls than this are a parser that turns in place.
        for _ in 0...(3 * piece.count + 3) {
            let before = offset
            let event = parser.next(input, from: &offset)
            expect(before...piece.count ~= offset, "the offset stays in the input and never goes back")
            switch event {
            case .needMore:
                return expect(offset == piece.count, "all input is consumed before more is asked for")
            case .head(let head):
                requests.append(Request(head: head))
            case .body(let range):
                expect(!range.isEmpty && before <= range.lowerBound && range.upperBound == offset, "a body moves on")
                requests[requests.count - 1].body += piece[range]
            case .end:
                requests[requests.count - 1].isComplete = true
            case .failure(let error):
                failure = error
                return expect(parser.next(input, from: &offset) == .failure(error), "a failure is for good")
            }
        }
        expect(false, "the parser makes progress")
    }
}

@Sendable func checkRequests(_ input: [UInt8]) {
    var generator = generator(for: input)
    for limits in [HTTPLimits(), tightLimits] {
        let whole = HTTPTranscript([input], limits: limits)
        let inPieces = HTTPTranscript(pieces(of: input, &generator), limits: limits)
        expect(inPieces == whole, "requests are read alike in pieces")
        if input.count <= 256 {
            expect(HTTPTranscript(input.map { [$0] }, limits: limits) == whole, "and byte by byte")
        }
        if !whole.requests.isEmpty { taken() }
        for request in whole.requests { check(request, limits) }
    }
}

private func check(_ request: HTTPTranscript.Request, _ limits: HTTPLimits) {
    let head = request.head
    expect(head.bytes.count <= limits.maxHead, "a head keeps its limit")
    expect(head.fields.count <= limits.maxFields, "the fields keep theirs")
    expect(request.body.count <= limits.maxBody, "a body keeps its limit")
    if case .length(let length) = head.body {
        expect(request.body.count <= length, "a body is never longer than it says")
        expect(!request.isComplete || request.body.count == length, "nor shorter, once complete")
    }
    expect(head.body != .none || request.body.isEmpty, "a request without a body has none")
    let again = RequestHead(validated: head.bytes)
    expect(again == head && again?.body == head.body, "an accepted request is accepted again")
    expect(again?.target == head.target && again?.host == head.host, "and means the same")
    for field in head.fields {
        expect(!field.name.isEmpty && head.first(field.name) != nil, "each field is found by its name")
        expect(!field.value.contains { $0 == 0x0D || $0 == 0x0A || $0 == 0 }, "no value splits a response")
    }
    expect(head.minorVersion == 0 || head.host?.isEmpty == false, "HTTP/1.1 has a host")
}

private let tightLimits = {
    var limits = HTTPLimits()
    limits.maxRequestLine = 60
    limits.maxHead = 160
    limits.maxFields = 5
    limits.maxBody = 24
    limits.maxChunkExtensions = 8
    return limits
}()

// The server side of HTTP/1.1 as a value: bytes go in, events come out, and it does no I/O. It is strict on purpose: it
// refuses a request that two servers might read in two ways (RFC 9112, section 11.2).
//
// Runs on: the thread that owns the connection.
// Allocates: the bytes and the table of fields of each head, more only for a head that comes in pieces; nothing for bodies.
// Read next: HeadReader.swift, ChunkedBody.swift.

/// Parses the requests of one connection, one after the other.
public struct RequestParser: Sendable {
    /// The next thing in the input.
    public enum Event: Sendable, Equatable {
        /// The parser has consumed all input; call again with more.
        case needMore
        /// A head is complete; its body follows.
        case head(RequestHead)
        /// A piece of the body, as a range of offsets in the input of this call.
        case body(Range<Int>)
        /// The request is complete; the next one begins here.
        case end
        /// The parser refuses the request and everything after it.
        case failure(HTTPError)
    }

    private enum State: Sendable {
        case betweenRequests(LeadingLine)
        /// Boxed, so that a parser without a half-read head stays small.
        indirect case head(HeadReader)
        case body(remaining: Int)
        case chunks(ChunkedBody)
        case failed(HTTPError)
    }

    /// The progress in the one empty line that may precede a request (RFC 9112, section 2.2).
    private enum LeadingLine: Sendable {
        case none, carriageReturn, whole
    }

    private let limits: HTTPLimits
    private var state = State.betweenRequests(.none)
    /// The bytes of a half-read head, outside of the state so that they grow in place. Empty at all other times.
    private var gathered: [UInt8] = []

    /// A parser for a new connection. The limits must be within the ranges that `HTTPLimits` documents.
    public init(limits: HTTPLimits = HTTPLimits()) {
        precondition(limits.areValid, "an HTTP limit is out of its range")
        self.limits = limits
    }

    /// Whether the parser is between requests.
    public var isIdle: Bool {
        if case .betweenRequests = state { true } else { false }
    }

    /// Reads the input from `offset`, which must lie inside it, and moves the offset behind the consumed bytes.
    ///
    /// Call it until it answers `needMore`; then it has consumed all input. After `head` the offset is at the first byte
    /// behind the blank line. After `failure` the parser stays failed, and the offset has no meaning.
    public mutating func next(_ input: RawSpan, from offset: inout Int) -> Event {
        precondition(offset >= 0 && offset <= input.byteCount, "the offset lies outside the input")
        do {
            // Not a case of the switch, which could hold a second reference to the table of fields while it runs.
            if hasBegunHead { return try continueHead(input, from: &offset) }
            switch state {
            case .betweenRequests(let leadingLine):
                return try beginHead(input, from: &offset, after: leadingLine)
            case .head:
                preconditionFailure("continueHead handles a half-read head")
            case .body(let remaining):
                return takeBody(input, from: &offset, remaining: remaining)
            case .chunks(let chunks):
                return try takeChunk(chunks, input, from: &offset)
            case .failed(let error):
                return .failure(error)
            }
        } catch {
            state = .failed(error)
            gathered = []
            return .failure(error)
        }
    }

    /// Gives the body that follows the head just read a limit of its own; false when its head says that it is longer.
    ///
    /// For a server that decides by the head how large a body may be: `HTTPLimits.maxBody` is then the largest of all.
    public mutating func limitBody(to maxBody: Int) -> Bool {
        switch state {
        case .body(let remaining): return remaining <= maxBody
        case .chunks(var chunks):
            chunks.maxBody = maxBody
            state = .chunks(chunks)
            return true
        case .betweenRequests, .head, .failed: return true
        }
    }

    private mutating func beginHead(
        _ input: RawSpan, from offset: inout Int, after leadingLine: LeadingLine
    ) throws(HTTPError) -> Event {
        var leadingLine = leadingLine
        if leadingLine == .none, offset < input.byteCount, input[offset] == ASCII.carriageReturn {
            leadingLine = .carriageReturn
            offset += 1
        }
        if leadingLine == .carriageReturn, offset < input.byteCount {
            guard input[offset] == ASCII.lineFeed else { throw .bareCarriageReturn }
            leadingLine = .whole
            offset += 1
        }
        guard offset < input.byteCount else {
            state = .betweenRequests(leadingLine)
            return .needMore
        }

        let head = input.extracting(offset..<input.byteCount)
        var reader = HeadReader()
        guard let end = try reader.read(head, within: limits) else {
            state = .head(reader)
            gathered = head.array(head.byteOffsets)
            offset = input.byteCount
            return .needMore
        }
        offset += end
        return try finishHead(head.array(0..<end), readBy: reader)
    }

    private mutating func continueHead(_ input: RawSpan, from offset: inout Int) throws(HTTPError) -> Event {
        var reader = takeReader()
        let before = gathered.count
        let taken = min(limits.maxHead - before, input.byteCount - offset)
        gathered.append(input, offset..<offset + taken)
        guard let end = try unsafe reader.read(gathered.span.bytes, within: limits) else {
            state = .head(reader)
            offset += taken
            return .needMore
        }
        offset += end - before
        // The copy has no spare capacity, because the head may live as long as the connection.
        let bytes = unsafe gathered.span.bytes.array(0..<end)
        gathered = []
        return try finishHead(bytes, readBy: reader)
    }

    private var hasBegunHead: Bool { if case .head = state { true } else { false } }

    /// Moves the reader of a half-read head out of the state, because its table of fields grows in place only while nothing
    /// else holds it. A copy for each piece of the head would make the work quadratic.
    private mutating func takeReader() -> HeadReader {
        guard case .head(let reader) = state else { preconditionFailure("no head has begun") }
        state = .betweenRequests(.none)
        return reader
    }

    private mutating func finishHead(_ bytes: [UInt8], readBy reader: HeadReader) throws(HTTPError) -> Event {
        let head = try RequestHead(bytes, readBy: reader, maxBody: limits.maxBody)
        state =
            switch head.body {
            case .none: .body(remaining: 0)
            case .length(let length): .body(remaining: length)
            case .chunked: .chunks(ChunkedBody(maxBody: limits.maxBody))
            }
        return .head(head)
    }

    private mutating func takeBody(_ input: RawSpan, from offset: inout Int, remaining: Int) -> Event {
        guard remaining > 0 else {
            state = .betweenRequests(.none)
            return .end
        }
        let range = offset..<offset + min(remaining, input.byteCount - offset)
        guard !range.isEmpty else { return .needMore }
        offset = range.upperBound
        state = .body(remaining: remaining - range.count)
        return .body(range)
    }

    private mutating func takeChunk(
        _ chunks: ChunkedBody, _ input: RawSpan, from offset: inout Int
    ) throws(HTTPError) -> Event {
        var chunks = chunks
        let step = try chunks.next(input, from: &offset, within: limits)
        switch step {
        case .needMore:
            state = .chunks(chunks)
            return .needMore
        case .data(let range):
            state = .chunks(chunks)
            return .body(range)
        case .end:
            state = .betweenRequests(.none)
            return .end
        }
    }
}

// Reads a request head line by line, as far as its bytes have come. It looks at every byte once, however the head is cut,
// and the result depends on the bytes alone, never on the cuts.
//
// Allocates: the table of fields, once for up to 16 of them.
// Read next: RequestLine.swift, HeadRules.swift.

/// Reads one head: its position, and the results of the lines so far.
struct HeadReader {
    private(set) var requestLine: RequestLine?
    private(set) var fields: [FieldLine] = []
    private(set) var rules = HeadRules()
    private var hasMethod = false
    private var lineStart = 0
    /// All bytes before this offset have been looked at.
    private var scanned = 0

    /// Continues to read a head whose first byte is at offset 0.
    ///
    /// Returns the offset behind the blank line, or nil when all bytes are read and the head is not complete.
    mutating func read(_ head: RawSpan, within limits: HTTPLimits) throws(HTTPError) -> Int? {
        if !hasMethod {
            let window = min(head.byteCount, limits.maxHead, limits.maxRequestLine)
            hasMethod = try RequestLine.methodEnd(in: head, before: window) != nil
        }
        while let lineEnd = try endOfLine(in: head, within: limits) {
            let line = lineStart..<lineEnd
            scanned = lineEnd + 2
            lineStart = scanned
            if line.isEmpty { return scanned }
            try accept(line, of: head, within: limits)
        }
        return nil
    }

    private mutating func accept(_ line: Range<Int>, of head: RawSpan, within limits: HTTPLimits) throws(HTTPError) {
        guard requestLine != nil else {
            requestLine = try RequestLine(endingAt: line.upperBound, of: head)
            fields.reserveCapacity(min(16, limits.maxFields))
            return
        }
        guard fields.count < limits.maxFields else { throw .tooManyFields }
        let field = try FieldLine(at: line, of: head)
        try rules.note(field, of: head)
        fields.append(field)
    }

    /// The offset of the CRLF at the end of the current line; nil while it has not come.
    private mutating func endOfLine(in head: RawSpan, within limits: HTTPLimits) throws(HTTPError) -> Int? {
        let isFirst = requestLine == nil
        let bound = isFirst ? min(limits.maxHead, limits.maxRequestLine + 2) : limits.maxHead
        let window = min(head.byteCount, bound)
        scanning: while true {
            scanned = head.firstControl(in: scanned..<window)
            guard scanned < window else { break }
            switch head[scanned] {
            case ASCII.tab:
                scanned += 1
            case ASCII.carriageReturn:
                guard scanned + 1 < window else { break scanning }
                guard head[scanned + 1] == ASCII.lineFeed else { throw .bareCarriageReturn }
                return scanned
            case ASCII.lineFeed:
                throw .bareLineFeed
            default:
                throw .controlByte
            }
        }
        guard window == bound else { return nil }
        throw isFirst && bound < limits.maxHead ? .uriTooLong : .headTooLarge
    }
}

/// A well-formed field line (RFC 9112, section 5). It holds places in the head's bytes, not the bytes.
struct FieldLine: Sendable {
    let name: ByteRange
    /// The value without the blanks around it.
    let value: ByteRange

    /// Reads a line without its line end. The caller has checked that it holds no control byte other than tab.
    init(at line: Range<Int>, of head: RawSpan) throws(HTTPError) {
        guard !head[line.lowerBound].isBlank else { throw .obsoleteFolding }
        var colon = line.lowerBound
        while colon < line.upperBound, head[colon].isTokenByte { colon += 1 }
        guard colon > line.lowerBound, colon < line.upperBound, head[colon] == ASCII.colon else { throw .badField }
        name = ByteRange(line.lowerBound..<colon)
        value = ByteRange(head.trimmingBlanks(colon + 1..<line.upperBound))
    }
}

// What a request asks for: the target in the forms that a server is sent (RFC 9112, section 3.2).

/// A request target taken apart; it knows places in the head's bytes, not the bytes.
struct RequestTarget: Sendable {
    /// The target as it was sent.
    let whole: ByteRange
    /// The host and port of an absolute target.
    let authority: ByteRange?
    /// The path, still percent-encoded; empty where an absolute target has none.
    let path: ByteRange
    /// What follows the first `?`.
    let query: ByteRange?

    /// Reads origin-form, absolute-form with `http` or `https`, and `*` where it is allowed.
    init(at range: Range<Int>, of head: RawSpan, allowsAsterisk: Bool) throws(HTTPError) {
        whole = ByteRange(range)
        var pathStart = range.lowerBound
        if head[pathStart] == ASCII.slash {
            authority = nil
        } else if let start = Self.authorityStart(in: range, of: head) {
            var end = start
            while end < range.upperBound, head[end] != ASCII.slash, head[end] != ASCII.question { end += 1 }
            guard Authority.isValid(start..<end, of: head) else { throw .badHost }
            authority = ByteRange(start..<end)
            pathStart = end
        } else if allowsAsterisk, head.holds("*", at: range) {
            authority = nil
        } else {
            throw .badRequestLine
        }

        var pathEnd = pathStart
        while pathEnd < range.upperBound, head[pathEnd] != ASCII.question { pathEnd += 1 }
        path = ByteRange(pathStart..<pathEnd)
        query = pathEnd < range.upperBound ? ByteRange(pathEnd + 1..<range.upperBound) : nil
    }

    /// Where the authority of an absolute target begins, nil when it is not absolute.
    private static func authorityStart(in range: Range<Int>, of head: RawSpan) -> Int? {
        for scheme in ["http://", "https://"] {
            let end = range.lowerBound + scheme.utf8.count
            if end <= range.upperBound, head.holdsIgnoringCase(scheme, at: range.lowerBound..<end) { return end }
        }
        return nil
    }
}

// The first line of a request: method, target, version (RFC 9112, section 3).
//
// Read next: Authority.swift.

/// A well-formed request line. It holds places in the head's bytes, not the bytes.
struct RequestLine: Sendable {
    let method: HTTPMethod
    /// The length in bytes of the method, which begins the head.
    let methodLength: UInt8
    /// 0 for HTTP/1.0, 1 for HTTP/1.1 and for any later 1.x, which is read as HTTP/1.1.
    let minorVersion: UInt8
    let target: RequestTarget

    /// No registered method is half as long.
    private static let maxMethodLength = 32

    /// Reads the line that fills `0..<end` of a head, without its line end.
    init(endingAt end: Int, of head: RawSpan) throws(HTTPError) {
        guard let methodEnd = try Self.methodEnd(in: head, before: end) else { throw .badRequestLine }
        let targetStart = methodEnd + 1
        var targetEnd = targetStart
        while targetEnd < end, head[targetEnd].isTargetByte { targetEnd += 1 }
        guard targetEnd > targetStart, targetEnd < end, head[targetEnd] == ASCII.space else { throw .badRequestLine }

        // The version is checked first, because the target of another version may have another form.
        minorVersion = try Self.minorVersion(at: targetEnd + 1..<end, of: head)
        method = HTTPMethod(at: 0..<methodEnd, of: head)
        methodLength = UInt8(methodEnd)
        target = try RequestTarget(at: targetStart..<targetEnd, of: head, allowsAsterisk: method == .options)
    }

    /// The offset of the space behind the method; nil while it has not come.
    ///
    /// Throws as soon as a byte cannot belong to a method, so a TLS hello fails at its first byte.
    static func methodEnd(in head: RawSpan, before end: Int) throws(HTTPError) -> Int? {
        var offset = 0
        while offset < end, head[offset].isTokenByte { offset += 1 }
        guard offset <= maxMethodLength else { throw .badRequestLine }
        guard offset < end else { return nil }
        guard offset > 0, head[offset] == ASCII.space else { throw .badRequestLine }
        return offset
    }

    private static func minorVersion(at range: Range<Int>, of head: RawSpan) throws(HTTPError) -> UInt8 {
        let start = range.lowerBound
        guard range.count == 8, head.holds("HTTP/", at: start..<start + 5), head[start + 5].isDigit,
            head[start + 6] == ASCII.dot, head[start + 7].isDigit
        else { throw .badRequestLine }
        guard head[start + 5] == ASCII.zero + 1 else { throw .versionNotSupported }
        return min(head[start + 7] - ASCII.zero, 1)
    }
}

/// The request methods that the server distinguishes. They are case-sensitive, so `get` is `other` (RFC 9110, section 9.1).
public enum HTTPMethod: Sendable, CaseIterable {
    case get, head, post, put, delete, options, patch
    /// Any other token; its text is `RequestHead.methodText`.
    case other

    /// The method whose name is in a range of a head.
    init(at range: Range<Int>, of head: RawSpan) {
        self =
            if head.holds("GET", at: range) {
                .get
            } else if head.holds("POST", at: range) {
                .post
            } else if head.holds("HEAD", at: range) {
                .head
            } else if head.holds("PUT", at: range) {
                .put
            } else if head.holds("DELETE", at: range) {
                .delete
            } else if head.holds("OPTIONS", at: range) {
                .options
            } else if head.holds("PATCH", at: range) {
                .patch
            } else {
                .other
            }
    }
}

/// The parts of a request target (RFC 9112, section 3.2). It holds places in the head's bytes, not the bytes.
struct RequestTarget: Sendable {
    /// The target as it was sent.
    let whole: ByteRange
    /// The host and port of an absolute target.
    let authority: ByteRange?
    /// The path, still percent-encoded; empty where an absolute target has none.
    let path: ByteRange
    /// The part behind the first `?`.
    let query: ByteRange?

    /// Reads the origin form, the absolute form with `http` or `https`, and `*` where it is allowed.
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

    /// The start of an absolute target's authority; nil when the target is not absolute.
    private static func authorityStart(in range: Range<Int>, of head: RawSpan) -> Int? {
        for scheme in ["http://", "https://"] {
            let end = range.lowerBound + scheme.utf8.count
            if end <= range.upperBound, head.holdsIgnoringCase(scheme, at: range.lowerBound..<end) { return end }
        }
        return nil
    }
}

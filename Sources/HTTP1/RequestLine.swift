// The first line of a request: method, target, version (RFC 9112, section 3).
//
// Read next: RequestTarget.swift.

/// A request line that was found well-formed; it knows places in the head's bytes, not the bytes.
struct RequestLine: Sendable {
    let method: HTTPMethod
    /// The number of bytes of the method, which begin the head.
    let methodLength: UInt8
    /// 0 for HTTP/1.0, 1 for HTTP/1.1 and for any later 1.x, which is read as the highest we know.
    let minorVersion: UInt8
    let target: RequestTarget

    /// No registered method is half as long; a longer one cannot be honest.
    private static let maxMethodLength = 32

    /// Reads the line that fills `0..<end` of a head, without its line end.
    init(endingAt end: Int, of head: RawSpan) throws(HTTPError) {
        guard let methodEnd = try Self.methodEnd(in: head, before: end) else { throw .badRequestLine }
        let targetStart = methodEnd + 1
        var targetEnd = targetStart
        while targetEnd < end, head[targetEnd].isTargetByte { targetEnd += 1 }
        guard targetEnd > targetStart, targetEnd < end, head[targetEnd] == ASCII.space else { throw .badRequestLine }

        // The version decides first: only then is it sure that the target is one of HTTP/1.1.
        minorVersion = try Self.minorVersion(at: targetEnd + 1..<end, of: head)
        method = HTTPMethod(at: 0..<methodEnd, of: head)
        methodLength = UInt8(methodEnd)
        target = try RequestTarget(at: targetStart..<targetEnd, of: head, allowsAsterisk: method == .options)
    }

    /// The offset of the space behind the method, or nil while there is none yet.
    ///
    /// Throws as soon as a byte cannot belong to a method: a TLS hello is refused at its first byte.
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

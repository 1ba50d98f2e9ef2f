// One field line of a head (RFC 9112, section 5).

/// A field line that was found well-formed; it knows places in the head's bytes, not the bytes.
struct FieldLine: Sendable {
    let name: ByteRange
    /// The value without the blanks around it.
    let value: ByteRange

    /// Reads a line without its line end. The caller has seen that it holds no control byte other than tab.
    init(at line: Range<Int>, of head: RawSpan) throws(HTTPError) {
        guard !head[line.lowerBound].isBlank else { throw .obsoleteFolding }
        var colon = line.lowerBound
        while colon < line.upperBound, head[colon].isTokenByte { colon += 1 }
        guard colon > line.lowerBound, colon < line.upperBound, head[colon] == ASCII.colon else { throw .badField }
        name = ByteRange(line.lowerBound..<colon)
        value = ByteRange(head.trimmingBlanks(colon + 1..<line.upperBound))
    }
}

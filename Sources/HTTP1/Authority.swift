// The `name[:port]` of a Host field or of an absolute target: the one check for both.

/// The check of an authority (RFC 9110, section 4.2; RFC 3986, section 3.2).
enum Authority {
    /// Whether a range holds a host, optionally with a port from 0 to 65535.
    ///
    /// Stricter than the grammar: the host must not be empty, and its name has no `sub-delims`. No real name has them, and a
    /// comma among them would mean two joined Host fields. User information is refused as well.
    static func isValid(_ range: Range<Int>, of head: RawSpan) -> Bool {
        guard let hostEnd = endOfHost(range, of: head) else { return false }
        return hostEnd == range.upperBound || isPort(hostEnd..<range.upperBound, of: head)
    }

    private static func endOfHost(_ range: Range<Int>, of head: RawSpan) -> Int? {
        guard !range.isEmpty else { return nil }
        if head[range.lowerBound] == ASCII.leftBracket { return endOfLiteral(range, of: head) }
        var offset = range.lowerBound
        while offset < range.upperBound {
            if head[offset].isUnreserved {
                offset += 1
            } else if isEscape(at: offset, before: range.upperBound, of: head) {
                offset += 3
            } else {
                break
            }
        }
        return offset > range.lowerBound ? offset : nil
    }

    /// The end of a bracketed IPv6 address. Its groups are not checked, because the server does not connect to it.
    private static func endOfLiteral(_ range: Range<Int>, of head: RawSpan) -> Int? {
        var offset = range.lowerBound + 1
        var colons = 0
        while offset < range.upperBound {
            let byte = head[offset]
            offset += 1
            if byte == ASCII.rightBracket { return colons >= 2 ? offset : nil }
            guard byte.hexValue != nil || byte == ASCII.colon || byte == ASCII.dot else { return nil }
            if byte == ASCII.colon { colons += 1 }
        }
        return nil
    }

    private static func isEscape(at offset: Int, before end: Int, of head: RawSpan) -> Bool {
        end - offset >= 3 && head[offset] == ASCII.percent && head[offset + 1].hexValue != nil
            && head[offset + 2].hexValue != nil
    }

    /// Whether a range holds a colon and up to five digits; RFC 3986 allows no digits at all.
    private static func isPort(_ range: Range<Int>, of head: RawSpan) -> Bool {
        guard head[range.lowerBound] == ASCII.colon, range.count <= 6 else { return false }
        var port = 0
        for offset in range.dropFirst() {
            guard head[offset].isDigit else { return false }
            port = port * 10 + Int(head[offset] - ASCII.zero)
        }
        return port <= 65535
    }
}

// Reading bytes out of a raw span, bounds-checked. Only this file of the target accesses memory by address. Elsewhere
// `unsafe bytes.span.bytes` answers the standard library's warning of padding, which bytes do not have.
//
// Allocates: the array or string that a function returns, nothing else.

extension RawSpan {
    /// The byte at an offset, which must lie inside the span.
    subscript(_ offset: Int) -> UInt8 {
        // The load checks its bounds, and every bit pattern is a UInt8.
        unsafe unsafeLoad(fromByteOffset: offset, as: UInt8.self)
    }

    /// The eight bytes that begin at an offset, the first of them lowest.
    private func word(at offset: Int) -> UInt64 {
        // The load checks its bounds, and every bit pattern is a UInt64.
        unsafe UInt64(littleEndian: unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self))
    }

    /// A copy of some of the bytes, with no spare capacity.
    func array(_ range: Range<Int>) -> [UInt8] {
        // The buffer does not outlive the copy.
        unsafe extracting(range).withUnsafeBytes { unsafe [UInt8]($0) }
    }

    /// Some of the bytes as text: UTF-8 where they are valid, else ISO-8859-1, the older encoding of HTTP (RFC 9110, section
    /// 5.5). Different bytes may be the same text: a reader that must tell them apart takes the bytes.
    func string(_ range: Range<Int>) -> String {
        // The buffer does not outlive the copy.
        unsafe extracting(range).withUnsafeBytes { bytes in
            if let text = try? unsafe UTF8Span(validating: bytes.bindMemory(to: UInt8.self).span) {
                return String(copying: text)
            }
            return unsafe String(String.UnicodeScalarView(bytes.map { Unicode.Scalar($0) }))
        }
    }

    /// The offset of the first control byte (tab included) in a range, or the end of the range.
    ///
    /// Looks at eight bytes at a time, because nearly all bytes of a request head are read here and only here.
    func firstControl(in range: Range<Int>) -> Int {
        var offset = range.lowerBound
        while range.upperBound - offset >= 8 {
            if let index = word(at: offset).firstControl { return offset + index }
            offset += 8
        }
        while offset < range.upperBound, !self[offset].isControl { offset += 1 }
        return offset
    }

    /// The range without the spaces and tabs at its two ends.
    func trimmingBlanks(_ range: Range<Int>) -> Range<Int> {
        var (start, end) = (range.lowerBound, range.upperBound)
        while start < end, self[start].isBlank { start += 1 }
        while start < end, self[end - 1].isBlank { end -= 1 }
        return start..<end
    }

    /// Whether a range holds exactly this text.
    func holds(_ text: String, at range: Range<Int>) -> Bool {
        let expected = text.utf8.span
        guard expected.count == range.count else { return false }
        for index in expected.indices where self[range.lowerBound + index] != expected[index] { return false }
        return true
    }

    /// Whether a range holds this text, ignoring the case of ASCII letters.
    func holdsIgnoringCase(_ text: String, at range: Range<Int>) -> Bool {
        let expected = text.utf8.span
        guard expected.count == range.count else { return false }
        for index in expected.indices
        where self[range.lowerBound + index].lowercased != expected[index].lowercased {
            return false
        }
        return true
    }

    /// Whether the comma-separated list in a range has this element, ignoring the case of ASCII letters.
    func listHolds(_ token: String, in range: Range<Int>) -> Bool {
        countElements(of: range, equalTo: token).equal > 0
    }

    /// Counts the elements of the comma-separated list in a range that equal the token, ignoring the case of ASCII letters,
    /// and the other elements. Empty elements are ignored (RFC 9110, section 5.6.1.2).
    func countElements(of range: Range<Int>, equalTo token: String) -> (equal: Int, other: Int) {
        var counts = (equal: 0, other: 0)
        var start = range.lowerBound
        while start <= range.upperBound {
            var end = start
            while end < range.upperBound, self[end] != ASCII.comma { end += 1 }
            let element = trimmingBlanks(start..<end)
            if holdsIgnoringCase(token, at: element) {
                counts.equal += 1
            } else if !element.isEmpty {
                counts.other += 1
            }
            start = end + 1
        }
        return counts
    }
}

extension [UInt8] {
    /// Appends some of the bytes of a span.
    mutating func append(_ span: RawSpan, _ range: Range<Int>) {
        // The buffer does not outlive the copy.
        unsafe span.extracting(range).withUnsafeBytes { unsafe append(contentsOf: $0) }
    }
}

extension OutputSpan<UInt8> {
    /// Appends the UTF-8 of a text as one copy; there must be room for it.
    mutating func write(_ text: String) {
        var text = text
        // Both buffers are valid within the closures, and the room is checked.
        text.withUTF8 { bytes in
            unsafe withUnsafeMutableBufferPointer { buffer, count in
                _ = unsafe buffer[count...].update(fromContentsOf: bytes)
                count += bytes.count
            }
        }
    }
}

extension UInt64 {
    /// The index of the first byte below 0x20 or equal to 0x7F, counted from the lowest; nil when there is none.
    fileprivate var firstControl: Int? {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let deletes = self ^ (ones &* 0x7F)
        let below = (self &- ones &* 0x20) & ~self
        let zeroes = (deletes &- ones) & ~deletes
        // A borrow can mark a wrong byte only above a right one, so the lowest mark is right.
        let marks = (below | zeroes) & (ones &* 0x80)
        return marks == 0 ? nil : marks.trailingZeroBitCount / 8
    }
}

/// A range of byte offsets in a request head, in half the memory of a Range<Int>, because a head keeps two for each field.
/// Offsets must be below 4 GiB; the limits keep a head far below that.
struct ByteRange: Sendable {
    private let start: UInt32
    private let end: UInt32

    init(_ range: Range<Int>) {
        start = UInt32(range.lowerBound)
        end = UInt32(range.upperBound)
    }

    /// The range for use with a span.
    var offsets: Range<Int> {
        Int(start)..<Int(end)
    }

    /// The number of bytes.
    var count: Int {
        Int(end - start)
    }
}

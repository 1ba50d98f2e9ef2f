// A place in a request head, in half the room of a Range<Int>: a head keeps four of its bounds for each field.

/// A range of byte offsets below 4 GiB; the limits keep a head far below that.
struct ByteRange: Sendable {
    private let start: UInt32
    private let end: UInt32

    init(_ range: Range<Int>) {
        start = UInt32(range.lowerBound)
        end = UInt32(range.upperBound)
    }

    /// The same offsets for use with a span.
    var offsets: Range<Int> {
        Int(start)..<Int(end)
    }

    /// The number of bytes.
    var count: Int {
        Int(end - start)
    }
}

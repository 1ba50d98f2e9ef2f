// Unmasking and checking in one walk. Most text is ASCII, which unmasking notices by itself; what is not is checked
// while it is still in the first-level cache.

extension UTF8Validator {
    /// How much is unmasked before it is checked: half of a usual first-level data cache.
    private static let blockSize = 16 * 1024

    /// Unmasks the next piece of a text in place and checks it; false as `consume`, the rest then left masked.
    mutating func unmask(_ piece: UnsafeMutableRawBufferPointer, key: UInt32, phase: Int) -> Bool {
        var start = 0
        while start < piece.count {
            let end = min(piece.count, start + Self.blockSize)
            let block = UnsafeMutableRawBufferPointer(rebasing: piece[start..<end])
            let isASCII = Mask.apply(block, key: key, phase: phase + start)
            guard isASCII && isComplete || consume(UnsafeRawBufferPointer(block)) else { return false }
            start = end
        }
        return true
    }
}

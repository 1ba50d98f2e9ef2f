// Reading an input from its front: what is taken leaves the pointer, the bytes stay where they are.

extension UnsafeMutableRawBufferPointer {
    /// Removes the first `count` bytes, of which there must be so many.
    mutating func skip(_ count: Int) {
        self = UnsafeMutableRawBufferPointer(rebasing: self[count...])
    }

    /// Removes the first `count` bytes, of which there must be so many, and answers with them.
    mutating func takeFirst(_ count: Int) -> UnsafeMutableRawBufferPointer {
        let first = UnsafeMutableRawBufferPointer(rebasing: self[..<count])
        skip(count)
        return first
    }
}

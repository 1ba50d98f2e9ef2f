// The bytes that are still to come.

import Glibc

/// A queue of bytes, compared as they are taken.
struct ByteQueue {
    private var bytes: [UInt8] = []
    private var head = 0

    var count: Int { bytes.count - head }
    var isEmpty: Bool { count == 0 }

    mutating func append(_ more: UnsafeRawBufferPointer) {
        if head == bytes.count {
            bytes.removeAll(keepingCapacity: true)
            head = 0
        }
        bytes.append(contentsOf: more)
    }

    /// Takes what was sent off the front; false when that is not what was to come.
    mutating func take(_ sent: UnsafeRawBufferPointer) -> Bool {
        guard sent.count <= count else { return false }
        let isEqual = bytes.withUnsafeBytes { memcmp($0.baseAddress! + head, sent.baseAddress!, sent.count) == 0 }
        head += sent.count
        return isEqual
    }
}

// What has been received of a client and cannot be handled yet, because it has sent too much or its handler waits. Nothing more
// is received in that time, so that TCP slows the client down.
//
// Allocates: a copy of the rest of a receive buffer.

/// Bytes of a client that wait, in memory that is changed in place as they are handled.
final class HeldInput {
    private var memory: UnsafeMutableRawBufferPointer
    private(set) var rest: UnsafeMutableRawBufferPointer

    init(copying bytes: UnsafeMutableRawBufferPointer) {
        memory = .allocate(byteCount: max(1, bytes.count), alignment: 8)
        if let start = bytes.baseAddress { memory.baseAddress!.copyMemory(from: start, byteCount: bytes.count) }
        rest = UnsafeMutableRawBufferPointer(rebasing: memory[..<bytes.count])
    }

    deinit { memory.deallocate() }

    /// Only this part of it still waits.
    func keep(_ rest: UnsafeMutableRawBufferPointer) { self.rest = rest }

    /// Has received all the same: behind what waits.
    func append(_ bytes: UnsafeMutableRawBufferPointer) {
        let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: max(1, rest.count + bytes.count), alignment: 8)
        copy.copyMemory(from: UnsafeRawBufferPointer(rest))
        UnsafeMutableRawBufferPointer(rebasing: copy[rest.count...]).copyMemory(from: UnsafeRawBufferPointer(bytes))
        memory.deallocate()
        memory = copy
        rest = UnsafeMutableRawBufferPointer(rebasing: copy[..<(rest.count + bytes.count)])
    }
}

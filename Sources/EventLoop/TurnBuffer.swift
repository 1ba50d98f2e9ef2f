// Where a turn's own output gathers (uWebSockets calls it the cork): small frames to one socket end up side by side and leave
// in one system call, and no connection owns a write buffer.
//
// Allocates: once.

/// Bytes waiting for the end of the turn, as segments that sockets refer to by offset.
struct TurnBuffer: ~Copyable {
    /// Half of a usual second-level cache: what was just written is still there when it is sent.
    static let capacity = 64 << 10

    private let base: UnsafeMutableRawPointer = .allocate(byteCount: capacity, alignment: 64)
    private(set) var count = 0

    deinit { base.deallocate() }

    var capacityLeft: Int { Self.capacity - count }

    /// Room for `size` more bytes, nil when there is none this turn.
    mutating func reserve(_ size: Int) -> UnsafeMutableRawPointer? {
        guard count + size <= Self.capacity else { return nil }
        defer { count += size }
        return base + count
    }

    func bytes(at offset: Int, count: Int) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: base + offset, count: count)
    }

    mutating func reset() { count = 0 }
}

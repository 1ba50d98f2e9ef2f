// The buffer in which the output of one turn gathers (uWebSockets calls it the cork). Small frames to one socket lie
// side by side and leave in one system call, and no connection owns a write buffer.
//
// All sockets share the memory: a slice that outlived its turn would name another client's bytes. So a slice carries
// the number of its turn, and a slice of another turn has no bytes.
//
// Allocates: once.

/// Bytes waiting for the end of the turn, as slices that sockets refer to.
struct TurnBuffer: ~Copyable {
    /// Bytes of one turn.
    struct Slice: Equatable {
        fileprivate let turn: UInt64
        fileprivate(set) var offset: UInt32
        fileprivate(set) var count: UInt32

        var byteCount: Int { Int(count) }

        /// The rest of the slice after its first bytes have been sent.
        func dropping(_ sent: Int) -> Slice {
            Slice(turn: turn, offset: offset + UInt32(sent), count: count - UInt32(sent))
        }

        /// Both as one slice, if `other` begins where this one ends.
        func joined(with other: Slice) -> Slice? {
            guard turn == other.turn, offset + count == other.offset else { return nil }
            return Slice(turn: turn, offset: offset, count: count + other.count)
        }
    }

    /// Half of a usual second-level cache: bytes that were just written are still in it when they are sent.
    static let capacity = 64 << 10

    private let base: UnsafeMutableRawPointer = .allocate(byteCount: capacity, alignment: 64)
    private var count = 0
    /// Counts the uses of the memory; no two have the same number.
    private var turn: UInt64 = 0

    deinit { base.deallocate() }

    var capacityLeft: Int { Self.capacity - count }

    /// Room for `size` more bytes, nil when there is none this turn.
    mutating func reserve(_ size: Int) -> (slice: Slice, address: UnsafeMutableRawPointer)? {
        guard count + size <= Self.capacity else { return nil }
        defer { count += size }
        return (Slice(turn: turn, offset: UInt32(count), count: UInt32(size)), base + count)
    }

    /// The bytes of a slice; nil when its turn is over and the memory holds other bytes.
    func bytes(of slice: Slice) -> UnsafeRawBufferPointer? {
        guard slice.turn == turn else { return nil }
        return UnsafeRawBufferPointer(start: base + Int(slice.offset), count: Int(slice.count))
    }

    /// Begins a new turn with the same memory. Earlier slices have no bytes from here on.
    mutating func reset() {
        count = 0
        turn += 1
    }
}

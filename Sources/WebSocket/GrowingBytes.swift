// Room for a payload that arrives in pieces. It grows with what has arrived, at most doubling, and never beyond what
// its owner may ever need: a peer that declares much and sends little costs little.
// Allocates: at `append`, when it is full.

import CLinux
import Glibc

/// A buffer that owns its bytes and can only grow, or be emptied.
struct GrowingBytes: ~Copyable {
    private var base: UnsafeMutableRawPointer?
    private(set) var capacity = 0
    private(set) var count = 0

    /// The least that is allocated.
    private static let leastCapacity = 64

    var isEmpty: Bool { count == 0 }

    /// The bytes; valid until the next `append` or `removeAll`.
    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base, count: count) }

    /// Appends a piece. `limit` is the most that the buffer will hold in the end, as far as that is known.
    mutating func append(_ piece: UnsafeRawBufferPointer, limit: Int) {
        guard let source = piece.baseAddress, !piece.isEmpty else { return }
        let needed = count + piece.count
        if needed > capacity {
            let doubled = max(Self.leastCapacity, capacity &* 2)
            grow(to: max(needed, min(doubled, limit)))
        }
        base!.advanced(by: count).copyMemory(from: source, byteCount: piece.count)
        count = needed
    }

    /// Forgets the bytes and gives their memory back.
    mutating func removeAll() {
        free(base)
        (base, capacity, count) = (nil, 0, 0)
    }

    private mutating func grow(to capacity: Int) {
        guard let grown = realloc(base, capacity) else { clinux_die_without_memory(capacity) }
        base = grown
        self.capacity = capacity
    }

    deinit {
        free(base)
    }
}

// The memory that a loop inflates and deflates into: one piece for all its connections, used by one message at a time.
// Allocates: when a message needs more than any since the last `shrink`.

import CLinux
import Glibc

/// A buffer that is filled from the front by whoever is given its free part, and that grows on demand.
struct ScratchBytes: ~Copyable {
    /// What is allocated first, and kept when there is nothing to do.
    static let keptCapacity = 64 << 10

    private var base: UnsafeMutableRawPointer?
    private(set) var capacity = 0
    private(set) var count = 0

    /// What has been filled; valid until the next change.
    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base, count: count) }

    /// Forgets the bytes, and keeps their memory.
    mutating func clear() { count = 0 }

    /// The free part, made larger first when there is none, and at most 1 GiB of it; nil when `limit` bytes are filled.
    mutating func room(limit: Int) -> UnsafeMutableRawBufferPointer? {
        guard count < limit else { return nil }
        if count == capacity { grow(to: max(Self.keptCapacity, min(capacity * 2, limit))) }
        return UnsafeMutableRawBufferPointer(start: base! + count, count: min(min(capacity, limit) - count, 1 << 30))
    }

    /// Counts `added` bytes of the free part as filled.
    mutating func fill(_ added: Int) { count += added }

    /// Takes the last `removed` bytes away.
    mutating func removeLast(_ removed: Int) { count -= removed }

    /// Gives back what a large message has taken.
    mutating func shrink() {
        guard capacity > Self.keptCapacity else { return }
        free(base)
        (base, capacity, count) = (nil, 0, 0)
    }

    private mutating func grow(to capacity: Int) {
        guard let grown = realloc(base, capacity) else { clinux_die_without_memory(capacity) }
        base = grown
        self.capacity = capacity
    }

    deinit { free(base) }
}

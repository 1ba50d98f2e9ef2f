// Counts the objects that Swift allocates on one thread, by way of the hook that the runtime has for its own tools. Lua's memory does not pass there.

import Glibc
import Synchronization

enum SwiftAllocations {
    private typealias Allocate =
        @convention(c) (UnsafeRawPointer?, Int, Int) -> UnsafeMutableRawPointer?

    // The runtime's own variable: written by count(during:) alone, one call at a time.
    private nonisolated(unsafe) static let hook: UnsafeMutablePointer<Allocate>? =
        dlsym(nil, "_swift_allocObject")?.assumingMemoryBound(to: Allocate.self)
    private static let original = hook?.pointee
    private static let thread = Atomic<UInt>(0)
    private static let counted = Atomic<Int>(0)

    private static let count: Allocate = { metadata, size, alignment in
        if UInt(pthread_self()) == thread.load(ordering: .relaxed) { counted.add(1, ordering: .relaxed) }
        return original!(metadata, size, alignment)
    }

    /// The number of objects that this thread allocates while `body` runs; -1 if the runtime has no hook.
    static func count(during body: () -> Void) -> Int {
        guard let hook, original != nil else { return -1 }
        counted.store(0, ordering: .relaxed)
        thread.store(UInt(pthread_self()), ordering: .relaxed)
        hook.pointee = count
        body()
        hook.pointee = original!
        thread.store(0, ordering: .relaxed)
        return counted.load(ordering: .relaxed)
    }
}

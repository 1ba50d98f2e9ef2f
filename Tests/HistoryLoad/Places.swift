// A counter that a thread can wait for: sem_t of POSIX.

import Glibc

/// Free places. A thread that takes one waits until there is one; any thread may give one back.
final class Places: @unchecked Sendable {
    // sem_t must not move, and all access to it is the C library's own.
    private let semaphore = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)

    init(_ count: Int) { sem_init(semaphore, 0, UInt32(count)) }

    deinit {
        sem_destroy(semaphore)
        semaphore.deallocate()
    }

    /// Waits for a place; a signal does not end the wait.
    func take() { while sem_wait(semaphore) != 0 {} }

    func give() { sem_post(semaphore) }
}

// A thread with a name and an 8 MiB stack (Lua recursion is deep), on which one event loop lives.

import CLinux
import Glibc
import Synchronization

/// A joinable thread.
public final class LoopThread: Sendable {
    private static let stackSize = 8 << 20

    private final class Start: Sendable {
        let name: String
        let body: @Sendable () -> Void
        init(name: String, body: @escaping @Sendable () -> Void) {
            self.name = name
            self.body = body
        }
    }

    private let thread: Mutex<pthread_t?>

    /// Starts `body` on a new thread; signals stay with the threads that ask for them.
    /// - Parameter name: shown by `top -H`; at most 15 bytes.
    public init(name: String, body: @escaping @Sendable () -> Void) {
        var handle = pthread_t()
        let start = Unmanaged.passRetained(Start(name: name, body: body))
        let failure = clinux_thread_start(
            &handle, Self.stackSize,
            { argument in
                let start = Unmanaged<Start>.fromOpaque(argument!).takeRetainedValue()
                clinux_thread_name(start.name)
                start.body()
                return nil
            }, start.toOpaque())
        precondition(failure == 0, "cannot start thread \(name): errno \(failure)")
        thread = Mutex(handle)
    }

    /// Waits for the end of the thread; a second call returns at once.
    public func join() {
        let handle = thread.withLock { thread in
            defer { thread = nil }
            return thread
        }
        if let handle { pthread_join(handle, nil) }
    }
}

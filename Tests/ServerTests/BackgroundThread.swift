// Something that a test does beside itself: a client that blocks, for one.

import EventLoop
import Synchronization

/// A thread with a result.
final class BackgroundThread<Value: Sendable>: Sendable {
    private final class Cell: Sendable {
        let result = Mutex<Result<Value, any Error>?>(nil)
    }

    private let cell = Cell()
    private let thread: LoopThread

    init(_ body: @escaping @Sendable () throws -> Value) {
        thread = LoopThread(name: "background") { [cell] in
            let result = Result { try body() }
            cell.result.withLock { $0 = result }
        }
    }

    /// Waits for the end; answers what came of it.
    func value() throws -> Value {
        thread.join()
        guard let result = cell.result.withLock({ $0 }) else { preconditionFailure("the thread left nothing") }
        return try result.get()
    }
}

// A backend that scripts ask while a whole server runs: on a thread of its own, and as slow as a test wants it.

import EventLoop
import Foundation

/// The requests that a backend has seen so far; shared with its thread.
///
/// Unchecked: `content` is touched under `lock` alone.
final class BackendRecord: @unchecked Sendable {
    struct Content {
        /// Request lines in the order in which they came.
        var lines: [String] = []
        var heads: [String] = []
        var held = 0
        var open = 0
    }

    private let lock = NSCondition()
    private var content = Content()

    var now: Content { lock.withLock { content } }

    func note(_ change: (inout Content) -> Void) {
        lock.withLock { change(&content) }
        lock.broadcast()
    }

    /// Waits until `condition` holds; false when it still does not hold after that time.
    func awaits(_ condition: (Content) -> Bool, within time: Duration) -> Bool {
        let end = Date(timeIntervalSinceNow: time / .seconds(1))
        return lock.withLock {
            while !condition(content) { guard lock.wait(until: end) else { return condition(content) } }
            return true
        }
    }
}

/// An HTTP server on a free loopback port. `/held…` is answered when the test says so, everything else at once, with the
/// request's path as the body; `/redirect?URL` leads to that URL.
final class LiveBackend {
    enum Command: Sendable {
        case release
        case stop
    }

    let port: UInt16
    private let record = BackendRecord()
    private let commands = Inbox<Command>()
    private let thread: LoopThread

    init() {
        let descriptor = Self.listeningSocket()
        port = SocketAddress.local(of: descriptor).port
        thread = LoopThread(name: "backend") { [commands, record] in
            LiveBackendLoop(descriptor, record).run(commands)
        }
    }

    deinit {
        commands.post(.stop)
        thread.join()
    }

    /// Answers all that are held, and holds nothing from now on.
    func release() { commands.post(.release) }

    var now: BackendRecord.Content { record.now }

    /// Waits until its requests meet `condition`; false when it still does not after that time.
    func comes(to condition: (BackendRecord.Content) -> Bool, within time: Duration = .seconds(20)) -> Bool {
        record.awaits(condition, within: time)
    }

    func url(_ path: String) -> String { "http://127.0.0.1:\(port)\(path)" }

    private static func listeningSocket() -> Int32 {
        let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        let descriptor = socket(AF_INET, type, 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let bound = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        precondition(bound == 0 && listen(descriptor, 4096) == 0, "errno \(errno)")
        return descriptor
    }
}

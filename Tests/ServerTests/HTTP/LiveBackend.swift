// A backend that scripts ask while a whole server runs: on a thread of its own, and as slow as a test wants it.

import EventLoop
import Glibc
import Synchronization

/// What a backend has seen so far; shared with its thread.
final class BackendRecord: Sendable {
    struct Content {
        /// Request lines in the order in which they came.
        var lines: [String] = []
        var heads: [String] = []
        var held = 0
        var open = 0
    }

    private let content = Mutex(Content())

    var now: Content { content.withLock { $0 } }
    func note(_ change: (inout Content) -> Void) { content.withLock { change(&$0) } }
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

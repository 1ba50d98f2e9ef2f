// The system's name look-up blocks for an unknown time and cannot be cancelled, so it runs on its own thread, which
// ends with it. The thread leaves the result in a mailbox that it shares with the client, so the client may be gone by
// then.
//
// Read next: NameLookups.swift.

import CLinux
import EventLoop
import Glibc
import Synchronization

/// A name with the addresses that the system has found for it; there are none if the name does not exist.
struct FoundName: Sendable {
    let name: String
    let addresses: [SocketAddress]
}

/// The mailbox in which look-ups leave their results until the loop takes them.
final class LookupMailbox: Sendable {
    /// A descriptor that is readable while results wait.
    let wakeUp = clinux_eventfd()
    private let found = Mutex<[FoundName]>([])

    deinit { close(wakeUp) }

    func post(_ name: FoundName) {
        found.withLock { $0.append(name) }
        var one: UInt64 = 1
        _ = write(wakeUp, &one, 8)
    }

    /// Takes all results that wait.
    func take() -> [FoundName] {
        var count: UInt64 = 0
        _ = read(wakeUp, &count, 8)
        return found.withLock { found in
            defer { found = [] }
            return found
        }
    }
}

/// The mailbox as a source of the loop.
final class LookupSource: Source {
    private let arrived: () -> Void

    init(_ mailbox: LookupMailbox, arrived: @escaping () -> Void) {
        self.arrived = arrived
        super.init(descriptor: dup(mailbox.wakeUp))
    }

    override func ready(_ readiness: Readiness) { arrived() }
}

/// One look-up.
enum LookupThread {
    private final class Task: Sendable {
        let name: String
        let mailbox: LookupMailbox

        init(_ name: String, _ mailbox: LookupMailbox) {
            self.name = name
            self.mailbox = mailbox
        }
    }

    private static let stackSize = 1 << 20
    /// The most addresses of one name that are tried.
    private static let mostAddresses = 32

    /// Begins a look-up; false when the system has no thread for it.
    static func start(_ name: String, _ mailbox: LookupMailbox) -> Bool {
        var handle = pthread_t()
        let task = Unmanaged.passRetained(Task(name, mailbox))
        let failure = clinux_thread_start(
            &handle, stackSize,
            { argument in
                let task = Unmanaged<Task>.fromOpaque(argument!).takeRetainedValue()
                clinux_thread_name("perigee-lookup")
                task.mailbox.post(FoundName(name: task.name, addresses: LookupThread.addresses(of: task.name)))
                return nil
            }, task.toOpaque())
        guard failure == 0 else {
            task.release()
            return false
        }
        pthread_detach(handle)
        return true
    }

    /// Asks the system, which may take a long time.
    private static func addresses(of name: String) -> [SocketAddress] {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var first: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(name, nil, &hints, &first) == 0 else { return [] }
        defer { freeaddrinfo(first) }
        var found: [SocketAddress] = []
        var next = first
        while let entry = next, found.count < mostAddresses {
            next = entry.pointee.ai_next
            let bytes = UnsafeRawBufferPointer(start: entry.pointee.ai_addr, count: Int(entry.pointee.ai_addrlen))
            let address = SocketAddress(sockaddr: bytes)
            if !address.isUnix, !found.contains(address) { found.append(address) }
        }
        return found
    }
}

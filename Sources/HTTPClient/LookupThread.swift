// The system's name look-up takes as long as it takes, and cannot be taken back: it runs on a thread of its own, which ends with
// it. What it has found goes through a door, so nobody has to be there any more.
//
// Read next: NameLookups.swift

import CLinux
import EventLoop
import Glibc
import Synchronization

/// A name with the addresses that the system has found for it; none when there is no such name.
struct FoundName: Sendable {
    let name: String
    let addresses: [SocketAddress]
}

/// Where look-ups leave what they have found, until the loop takes it.
final class LookupDoor: Sendable {
    /// Ready to be read while something waits.
    let wakeUp = clinux_eventfd()
    private let found = Mutex<[FoundName]>([])

    deinit { close(wakeUp) }

    func post(_ name: FoundName) {
        found.withLock { $0.append(name) }
        var one: UInt64 = 1
        _ = write(wakeUp, &one, 8)
    }

    /// All that waits.
    func take() -> [FoundName] {
        var count: UInt64 = 0
        _ = read(wakeUp, &count, 8)
        return found.withLock { found in
            defer { found = [] }
            return found
        }
    }
}

/// The door as a source of the loop.
final class LookupSource: Source {
    private let told: () -> Void

    init(_ door: LookupDoor, told: @escaping () -> Void) {
        self.told = told
        super.init(descriptor: dup(door.wakeUp))
    }

    override func ready(_ readiness: Readiness) { told() }
}

/// One look-up.
enum LookupThread {
    private final class Task: Sendable {
        let name: String
        let door: LookupDoor

        init(_ name: String, _ door: LookupDoor) {
            self.name = name
            self.door = door
        }
    }

    private static let stackSize = 1 << 20
    /// More addresses of one name than this are not tried.
    private static let mostAddresses = 32

    /// Begins a look-up; false when the system has no thread for it.
    static func start(_ name: String, _ door: LookupDoor) -> Bool {
        var handle = pthread_t()
        let task = Unmanaged.passRetained(Task(name, door))
        let failure = clinux_thread_start(
            &handle, stackSize,
            { argument in
                let task = Unmanaged<Task>.fromOpaque(argument!).takeRetainedValue()
                clinux_thread_name("perigee-lookup")
                task.door.post(FoundName(name: task.name, addresses: LookupThread.addresses(of: task.name)))
                return nil
            }, task.toOpaque())
        guard failure == 0 else {
            task.release()
            return false
        }
        pthread_detach(handle)
        return true
    }

    /// Asks the system, which may take long.
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

// Listening sockets that the parent process has opened for this one: systemd's protocol, sd_listen_fds(3), without its
// library. A Perigee that hands over to a new process speaks it too, and adds a socket named `ready` on which it awaits a word.
//
// Read next: ../Lifecycle/Successor.swift.

import CLinux
import EventLoop
import Gateway
import Glibc

/// Descriptors that were passed to the process, by purpose.
struct PassedSockets: Sendable, Equatable {
    /// The purposes of descriptors, by name.
    enum Name: String {
        case clients, admin, ready
    }

    /// systemd's variables, and one of ours: the socket files that a predecessor has made, `clients:64769.1234`, which it leaves
    /// to this process. A file that is not among them is somebody else's.
    static let variables = ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES", "LISTEN_FILES"]
    private static let first: Int32 = 3
    private static let most = 1024

    /// Listening sockets on the clients' addresses; none: the configured address is opened.
    var clients: [Int32] = []
    /// The same for the admin API.
    var admin: [Int32] = []
    /// Where a predecessor waits to be told that this process serves.
    var ready: Int32?
    /// Socket files that the predecessor has made.
    var files: [Name: UnixSocketFile.Identity] = [:]

    /// The descriptors passed to this process. The variables are taken out of the environment, so that no child believes them
    /// meant for itself.
    static func take() throws(StartError) -> PassedSockets {
        let (process, count, names) = (
            HostProcess.variable("LISTEN_PID"), HostProcess.variable("LISTEN_FDS"),
            HostProcess.variable("LISTEN_FDNAMES")
        )
        let files = HostProcess.variable("LISTEN_FILES") ?? ""
        for variable in variables { unsetenv(variable) }
        guard process == "\(getpid())" else { return PassedSockets() }
        guard let count = count.flatMap({ Int($0) }), (0...most).contains(count) else {
            throw .listen("LISTEN_FDS is not a number from 0 to \(most)")
        }
        let descriptors = (0..<count).map { first + Int32($0) }
        var sockets = try sorted(
            descriptors, names: names?.split(separator: ":", omittingEmptySubsequences: false).map(String.init) ?? [])
        sockets.files = Self.files(files)
        return sockets
    }

    /// Reads the output of `text(of:)`.
    static func files(_ text: String) -> [Name: UnixSocketFile.Identity] {
        var files: [Name: UnixSocketFile.Identity] = [:]
        for entry in text.split(separator: ",") {
            let parts = entry.split(separator: ":", maxSplits: 1).map(String.init)
            guard parts.count == 2, let name = Name(rawValue: parts[0]) else { continue }
            files[name] = UnixSocketFile.Identity(parts[1])
        }
        return files
    }

    /// The files as the next process reads them: `clients:64769.1234,admin:64769.1235`.
    static func text(of files: [(name: Name, identity: UnixSocketFile.Identity?)]) -> String {
        files.compactMap { file in file.identity.map { "\(file.name.rawValue):\($0)" } }.joined(separator: ",")
    }

    /// Sorts the descriptors by their names. When none has a name of ours, the first is for clients and the second for the
    /// admin API.
    static func sorted(_ descriptors: [Int32], names: [String]) throws(StartError) -> PassedSockets {
        var given = names.map { Name(rawValue: $0) }
        if given.allSatisfy({ $0 == nil }) { given = [.clients, .admin] }
        var sockets = PassedSockets()
        for (index, descriptor) in descriptors.enumerated() {
            guard index < given.count, let name = given[index] else {
                let known = "clients or admin (FileDescriptorName= of its socket unit)"
                throw .listen("the passed socket \(descriptor) needs a name that says what it is for: \(known)")
            }
            guard fcntl(descriptor, F_SETFD, FD_CLOEXEC) == 0 else {
                throw .listen("LISTEN_FDS counts a descriptor \(descriptor) that is not open")
            }
            switch name {
            case .clients: sockets.clients.append(try listening(descriptor))
            case .admin: sockets.admin.append(try listening(descriptor))
            case .ready: sockets.ready = descriptor
            }
        }
        return sockets
    }

    /// The descriptor, made non-blocking, if it is a stream socket that listens.
    private static func listening(_ descriptor: Int32) throws(StartError) -> Int32 {
        guard option(SO_TYPE, of: descriptor) == Int32(SOCK_STREAM.rawValue), option(SO_ACCEPTCONN, of: descriptor) == 1
        else {
            throw .listen("the passed descriptor \(descriptor) is not a stream socket that listens")
        }
        _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK)
        return descriptor
    }

    private static func option(_ option: Int32, of descriptor: Int32) -> Int32? {
        var value: Int32 = 0
        var size = socklen_t(MemoryLayout<Int32>.size)
        return getsockopt(descriptor, SOL_SOCKET, option, &value, &size) == 0 ? value : nil
    }

    // MARK: On to the workers

    /// The sockets from which each of `workers` accepts, so that every socket has a worker and every worker a socket.
    /// With more sockets than workers some have several; with fewer some wait on one socket together, each with a
    /// descriptor of its own.
    func shares(of workers: Int) -> [[PassedSocket]] {
        guard !clients.isEmpty else { return Array(repeating: [], count: workers) }
        let isContested = clients.count < workers
        return (0..<workers).map { worker in
            guard isContested else {
                return stride(from: worker, to: clients.count, by: workers).map {
                    PassedSocket(clients[$0], isContested: false)
                }
            }
            let socket = clients[worker % clients.count]
            let own = worker < clients.count ? socket : fcntl(socket, F_DUPFD_CLOEXEC, 3)
            return [PassedSocket(own, isContested: true)]
        }
    }
}

// The sockets on which this process listens, as numbers to pass on. Their owners are the listeners of the workers and of the
// admin thread, and they stay open until those are told to drain.

/// Every listening socket of the process, each once.
struct ListeningDescriptors: Sendable {
    let clients: [Int32]
    let admin: [Int32]
    /// The files of UNIX sockets among them.
    let clientFile: UnixSocketFile?
    let adminFile: UnixSocketFile?

    /// - Parameter clients: those of all workers; of several that are one socket, the first is taken.
    init(
        clients: [Int32], admin: [Int32], clientFile: UnixSocketFile? = nil, adminFile: UnixSocketFile? = nil
    ) {
        self.clientFile = clientFile
        self.adminFile = adminFile
        self.clients = Self.distinct(clients)
        self.admin = Self.distinct(admin)
    }

    private static func distinct(_ descriptors: [Int32]) -> [Int32] {
        var seen: Set<UInt> = []
        return descriptors.filter { descriptor in
            var status = stat()
            return fstat(descriptor, &status) == 0 && seen.insert(UInt(status.st_ino)).inserted
        }
    }
}

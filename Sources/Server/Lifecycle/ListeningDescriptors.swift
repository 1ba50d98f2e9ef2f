// The sockets on which this process listens, as numbers to pass on. Their owners are the listeners of the workers and of the
// admin thread, and they stay open until those are told to drain.

import EventLoop
import Glibc

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

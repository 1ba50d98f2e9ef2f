// Pipe: what a child process writes, on its way to the test.

import Glibc
import Synchronization

/// A pipe whose read end stays here and whose write end a child inherits.
final class Pipe {
    let reader: ByteReader
    private let readEnd: Int32
    private(set) var writeEnd: Int32

    init() throws(ClientError) {
        var ends: [Int32] = [-1, -1]
        let made = Spawn.gate.withLock { _ in
            guard pipe(&ends) == 0 else { return false }
            for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
            return true
        }
        guard made else { throw .system(call: "pipe", code: errno) }
        (readEnd, writeEnd) = (ends[0], ends[1])
        reader = ByteReader(descriptor: readEnd)
        _ = fcntl(readEnd, F_SETFL, O_NONBLOCK)
        // Room for what a program writes while the test looks elsewhere (F_SETPIPE_SZ, which Glibc's module lacks).
        _ = fcntl(readEnd, 1031, 1 << 20)
    }

    deinit {
        close(readEnd)
        closeWriteEnd()
    }

    func closeWriteEnd() {
        guard writeEnd >= 0 else { return }
        close(writeEnd)
        writeEnd = -1
    }
}

// The lock that keeps a second server out of a history file. It is a lock of the kernel on a file beside it, which stays: the lock
// ends with the process, however that ends.
//
// SQLite's own locks do not do this. They let many processes write in turn, and each would hand out offsets from its memory.

import Glibc

/// A lock that this process holds.
final class FileLock {
    private let descriptor: Int32
    private let path: String

    /// Takes the lock of the file, or says why not.
    init(of file: String) throws(HistoryTrouble) {
        path = file + ".lock"
        let lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard lock >= 0 else { throw .noFile(at: file, errno) }
        guard flock(lock, LOCK_EX | LOCK_NB) == 0 else {
            let code = errno
            close(lock)
            throw code == EWOULDBLOCK ? .inUse(file) : .noFile(at: file, code)
        }
        descriptor = lock
    }

    /// Whether the locked file is the one that another process would find.
    var isInPlace: Bool {
        var (here, there) = (stat(), stat())
        return fstat(descriptor, &here) == 0 && stat(path, &there) == 0 && here.st_ino == there.st_ino
            && here.st_dev == there.st_dev
    }

    deinit { close(descriptor) }
}

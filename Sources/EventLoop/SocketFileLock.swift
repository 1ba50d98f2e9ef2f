// The lock under which one process at a time inspects and changes a socket file. It is a lock of the kernel on a file
// beside the socket file, which exists only while a process holds or awaits the lock. Only its owner can open that
// file, so no other user can hold the lock and keep a server from starting. A lock on the folder itself would let every
// user who may read the folder do that.
//
// Read next: UnixSocketFile.swift.

import Glibc

/// The lock of a socket file, held until `release`.
struct SocketFileLock {
    /// How long another process may hold the lock, in milliseconds. It is needed for microseconds.
    static let patience: UInt32 = 5_000

    private let name: String
    /// -1 if there is nothing to lock: this process may not write to the folder, or others can open the lock's file.
    private let descriptor: Int32

    /// Waits for the lock of the socket file at `path`, for at most `patience` milliseconds.
    init(of path: String, patience: UInt32 = Self.patience) throws(ListenError) {
        name = path + ".lock"
        var waited: UInt32 = 0
        while true {
            let opened = Self.open(name)
            guard opened >= 0 else {
                descriptor = -1
                return
            }
            let isLocked = flock(opened, LOCK_EX | LOCK_NB) == 0
            // The process that held the lock has removed the file, so this lock is on a file that no other process can
            // find.
            if isLocked && Self.isAt(name, opened) {
                descriptor = opened
                return
            }
            close(opened)
            guard !isLocked else { continue }
            guard waited < patience else { throw ListenError(path: path, code: EWOULDBLOCK) }
            usleep(10_000)
            waited += 10
        }
    }

    /// Removes the file while the lock is held, and lets go of it.
    func release() {
        guard descriptor >= 0 else { return }
        unlink(name)
        close(descriptor)
    }

    /// The lock's file, made where there is none; -1 where it cannot be opened, or where others can open it.
    private static func open(_ name: String) -> Int32 {
        let descriptor = Glibc.open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0o600)
        guard descriptor >= 0 else { return -1 }
        var status = stat()
        let isPrivate =
            fstat(descriptor, &status) == 0 && status.st_mode & S_IFMT == S_IFREG && status.st_mode & 0o077 == 0
            && status.st_uid == geteuid()
        guard !isPrivate else { return descriptor }
        close(descriptor)
        return -1
    }

    private static func isAt(_ name: String, _ descriptor: Int32) -> Bool {
        var (here, there) = (stat(), stat())
        return fstat(descriptor, &here) == 0 && lstat(name, &there) == 0 && here.st_ino == there.st_ino
            && here.st_dev == there.st_dev
    }
}

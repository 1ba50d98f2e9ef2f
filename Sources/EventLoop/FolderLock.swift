// One process at a time looks at a folder's socket files and changes them. The lock is the kernel's, on the folder itself: it leaves
// no file behind, and ends with its process.
//
// Read next: UnixSocketFile.swift.

import Glibc

/// The lock of the folder of a socket file, held until `release`.
struct FolderLock {
    /// How long another process may hold the lock, in milliseconds. It is needed for microseconds.
    private static let patience: UInt32 = 5_000

    /// -1 where there is nothing to lock: a folder that this process may write to and not read cannot be opened.
    private let descriptor: Int32

    /// Waits for the lock of the folder in which `path` is.
    init(of path: String) throws(ListenError) {
        let end = path.lastIndex(of: "/")
        let folder = end.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        var waited: UInt32 = 0
        while flock(descriptor, LOCK_EX | LOCK_NB) != 0, errno == EWOULDBLOCK || errno == EINTR {
            guard waited < Self.patience else {
                close(descriptor)
                throw ListenError(path: path, code: EWOULDBLOCK)
            }
            usleep(10_000)
            waited += 10
        }
    }

    func release() {
        if descriptor >= 0 { close(descriptor) }
    }
}

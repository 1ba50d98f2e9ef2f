// A file that is written beside its place and put into it by one rename, so that nobody ever reads half of it, and the old
// one stays if anything fails before.
//
// Runs on: a thread that may block.

import Glibc

/// A file that is written and not yet in its place.
struct StagedFile {
    struct Failure: Error { let message: String }

    private let path: String
    private let temporary: String
    /// Folders that were made for it, the outermost first.
    private var folders: [String] = []

    /// Writes `bytes`, to be `root/file` later. The temporary file's name is one that is never taken for a script.
    init(_ file: String, in root: String, bytes: [UInt8]) throws(Failure) {
        path = root + "/" + file
        let name = file.split(separator: "/").last ?? ""
        temporary = path.dropLast(name.count) + ".\(name).\(getpid()).upload"
        makeFolders(of: file, in: root)
        do throws(Failure) {
            try Self.write(bytes, to: temporary, inPlaceOf: path)
        } catch {
            discard()
            throw error
        }
    }

    /// Puts the file into its place.
    func publish() throws(Failure) {
        guard rename(temporary, path) == 0 else { throw Self.failure("cannot be put into its place") }
    }

    /// Removes the file, and the folders that were made for it.
    func discard() {
        unlink(temporary)
        for folder in folders.reversed() { rmdir(folder) }
    }

    private mutating func makeFolders(of file: String, in root: String) {
        for slash in file.indices where file[slash] == "/" {
            let folder = root + "/" + file[..<slash]
            if mkdir(folder, 0o777) == 0 { folders.append(folder) }
        }
    }

    private static func write(_ bytes: [UInt8], to path: String, inPlaceOf place: String) throws(Failure) {
        var old = stat()
        let replaces = stat(place, &old) == 0
        // Nobody may read it before it has the old file's mode and owner.
        let mode: mode_t = replaces ? 0o600 : 0o666
        // A file with this name is left over from a process that died, or somebody put it there so that we write to it.
        unlink(path)
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode)
        guard descriptor >= 0 else { throw failure("cannot be written") }
        defer { close(descriptor) }
        if replaces { try keepAccess(of: old, for: descriptor) }
        var written = 0
        while written < bytes.count {
            let count = bytes.withUnsafeBytes {
                Glibc.write(descriptor, $0.baseAddress! + written, bytes.count - written)
            }
            if count < 0 {
                if errno == EINTR { continue }
                throw failure("cannot be written")
            }
            written += count
        }
        guard fsync(descriptor) == 0 else { throw failure("cannot be written") }
    }

    /// Gives the file the mode and the owner of the one that it replaces; throws where this process may not do so, because the owner
    /// could not change the new file. If only the group cannot be kept, the new group gets no more rights than
    /// everybody has.
    private static func keepAccess(of old: stat, for descriptor: Int32) throws(Failure) {
        var mode = old.st_mode & 0o777
        if fchown(descriptor, old.st_uid, old.st_gid) != 0 {
            let reason = failure("belongs to user \(old.st_uid), and this process may not pass the file on")
            var new = stat()
            guard fstat(descriptor, &new) == 0, new.st_uid == old.st_uid else { throw reason }
            if fchown(descriptor, uid_t.max, old.st_gid) != 0 { mode &= ~0o070 | (mode & 0o007) << 3 }
        }
        guard fchmod(descriptor, mode) == 0 else { throw failure("cannot get the mode of the old file") }
    }

    private static func failure(_ what: String) -> Failure {
        Failure(message: "\(what): \(String(cString: strerror(errno)))")
    }
}

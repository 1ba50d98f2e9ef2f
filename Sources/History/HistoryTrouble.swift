// Why a file cannot be used, in words for an operator, and what the writer does about it.

import CSQLite
import Glibc

/// A failure of the file.
struct HistoryTrouble: Error, Equatable {
    /// What helps.
    enum Remedy: Equatable {
        /// To try again: the file stays open, and reads go on.
        case retry
        /// To open the file again.
        case reopen
        /// The other server lets go of the file.
        case wait
        /// The file is damaged.
        case replace
    }

    let remedy: Remedy
    let why: String

    static func inUse(_ file: String) -> HistoryTrouble {
        HistoryTrouble(remedy: .wait, why: "another server has \(file) open")
    }

    static func damaged(_ file: String, _ details: String) -> HistoryTrouble {
        HistoryTrouble(remedy: .replace, why: "\(file) is damaged: \(details)")
    }

    /// A file that another program has moved or removed: what is written to it now is lost with it.
    static func gone(_ file: String) -> HistoryTrouble {
        HistoryTrouble(remedy: .reopen, why: "\(file) was removed or replaced")
    }

    static func foreign(_ file: String) -> HistoryTrouble {
        HistoryTrouble(remedy: .reopen, why: "\(file) is a database, but not a history")
    }

    static func newer(_ file: String, schema: Int64, known: Int64) -> HistoryTrouble {
        HistoryTrouble(
            remedy: .reopen, why: "\(file) has schema \(schema), and this version knows schemas up to \(known)")
    }

    /// The file or one beside it cannot be opened.
    static func noFile(at file: String, _ code: Int32) -> HistoryTrouble {
        let folder = Self.folder(of: file)
        var status = stat()
        let why =
            if stat(folder, &status) != 0 {
                "the folder \(folder) cannot be found: \(text(errno))"
            } else if status.st_mode & S_IFMT != S_IFDIR {
                "\(folder) is not a folder"
            } else if access(folder, W_OK | X_OK) != 0 {
                "the folder \(folder) cannot be written to: \(text(errno))"
            } else if access(file, F_OK) == 0, access(file, R_OK | W_OK) != 0 {
                "\(file) cannot be written to: \(text(errno))"
            } else {
                "\(file) cannot be opened: \(text(code))"
            }
        return HistoryTrouble(remedy: .reopen, why: why)
    }

    init(remedy: Remedy, why: String) {
        self.remedy = remedy
        self.why = why
    }

    /// What SQLite says, in our words.
    init(_ failure: SQLiteFailure, file: String, maxFile: Int) {
        switch failure.primary {
        case SQLITE_FULL:
            let reason =
                Self.hasRoom(file) && maxFile > 0
                ? "has reached its limit of \(maxFile) bytes" : "has no room: the disk is full"
            self.init(remedy: .retry, why: "\(file) \(reason)")
        case SQLITE_BUSY, SQLITE_LOCKED:
            self.init(remedy: .retry, why: "another program has locked \(file)")
        case SQLITE_CORRUPT, SQLITE_NOTADB:
            self = .damaged(file, failure.message)
        case SQLITE_CANTOPEN:
            self = .noFile(at: file, EIO)
        case SQLITE_READONLY, SQLITE_PERM, SQLITE_AUTH:
            self.init(remedy: .reopen, why: "\(file) cannot be written to: \(failure.message)")
        case SQLITE_IOERR:
            self.init(remedy: .reopen, why: "\(file) cannot be read or written: \(failure.message) (\(failure.code))")
        default:
            self.init(remedy: .reopen, why: "\(file) cannot be used: \(failure.message) (\(failure.code))")
        }
    }

    /// The folder of a file.
    static func folder(of file: String) -> String {
        guard let slash = file.lastIndex(of: "/") else { return "." }
        return slash == file.startIndex ? "/" : String(file[..<slash])
    }

    private static func hasRoom(_ file: String) -> Bool {
        var status = statvfs()
        return statvfs(folder(of: file), &status) == 0 && status.f_bavail * status.f_frsize > 1 << 20
    }

    private static func text(_ code: Int32) -> String { String(cString: strerror(code)) }
}

// Watches a folder tree with inotify and calls when it has been quiet for a moment after a change: editors write a file in
// several steps, some by renaming a new one into place. A folder that is never quiet is looked at all the same, and one that is gone
// is watched again when it is back. The watches are on everything that a load reads: subfolders and files behind symbolic links,
// and the links themselves, which deployments swap.
//
// Runs on: its loop's thread.

import CLinux
import EventLoop
import Glibc

/// A watched folder with its subfolders.
final class FileWatcher: Source {
    struct Failure: Error { let message: String }

    static let maxFolders = 1000
    private static let deepest = 8
    /// Changes that go on are told after this many times the quiet that was waited for.
    private static let patience: UInt64 = 10
    /// Milliseconds until a folder that is gone is looked for again.
    private static let retry: UInt64 = 1000

    private let folder: String
    private let isRecursive: Bool
    private let quiet: UInt64
    private unowned let loop: EventLoop
    private let changed: () -> Void
    private let isBlind: (String) -> Void
    /// The first folder that could not be watched, and why, as the tree was last looked at.
    private var unwatched: String?
    /// Whether that has been told.
    private var hasToldBlindness = false
    private var timer: TimerID?
    /// When the first of the changes came that have not been told yet.
    private var firstChange: UInt64?
    private var isGone = false
    private var watched: WatchedFolders

    /// - Parameters:
    ///   - isRecursive: whether the subfolders are watched, too.
    ///   - quiet: milliseconds without a further change before `changed` is called.
    ///   - isBlind: called once when some folders cannot be watched, with the first of them and the reason; and again when that comes
    ///     back after all of them could be.
    init(
        folder: String, isRecursive: Bool = true, quiet: UInt64, on loop: EventLoop,
        isBlind: @escaping (String) -> Void, changed: @escaping () -> Void
    ) throws(Failure) {
        self.folder = folder
        self.isRecursive = isRecursive
        self.quiet = quiet
        self.loop = loop
        self.changed = changed
        self.isBlind = isBlind
        let descriptor = inotify_init1(Int32(IN_NONBLOCK | IN_CLOEXEC))
        guard descriptor >= 0 else { throw Failure(message: String(cString: strerror(errno))) }
        watched = WatchedFolders(descriptor: descriptor)
        super.init(descriptor: descriptor)
        guard watchTree() else { throw Failure(message: "cannot watch \(folder): \(String(cString: strerror(errno)))") }
        loop.add(self, for: .readable)
        // Files may have changed after the start read them and before they were watched: one look finds that.
        callWhenQuiet()
    }

    override func ready(_ readiness: Readiness) {
        if watched.takeChanges() { callWhenQuiet() }
    }

    private func callWhenQuiet() {
        let first = firstChange ?? loop.now
        firstChange = first
        let latest = first + Self.patience * quiet
        schedule(after: min(quiet, latest - min(latest, loop.now)))
    }

    private func schedule(after delay: UInt64) {
        if let timer { loop.cancel(timer) }
        timer = loop.schedule(after: delay) { [weak self] in
            guard let self, descriptor >= 0 else { return }
            timer = nil
            firstChange = nil
            lookAgain()
        }
    }

    /// Folders may have come or gone, the whole tree among them; that is told once, and once more when it is back.
    private func lookAgain() {
        let wasGone = isGone
        isGone = !watchTree()
        if isGone { schedule(after: Self.retry) }
        if !isGone || !wasGone { changed() }
    }

    private func watchTree() -> Bool {
        watched.removeAll()
        unwatched = nil
        watchWay(to: folder)
        guard watched.add(folder: folder) else { return false }
        var seen: Set<Place> = []
        if isRecursive { watchSubfolders(of: folder, 1, &seen) }
        if let unwatched, !hasToldBlindness { isBlind(unwatched) }
        hasToldBlindness = unwatched != nil
        return true
    }

    private func watchWay(to path: String) {
        if let folder = watched.add(wayTo: path) { miss(folder) }
    }

    /// Notes that changes in a folder will not be noticed.
    private func miss(_ folder: String, _ reason: String? = nil) {
        unwatched = unwatched ?? "\(folder): \(reason ?? String(cString: strerror(errno)))"
    }

    /// A folder, to know it again behind a link.
    private struct Place: Hashable {
        let device: UInt64
        let inode: UInt64
    }

    private func watchSubfolders(of path: String, _ depth: Int, _ seen: inout Set<Place>) {
        guard depth <= Self.deepest else { return }
        guard let directory = opendir(path) else { return miss(path) }
        defer { closedir(directory) }
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { raw in
                String(decoding: raw.prefix { $0 != 0 }, as: UTF8.self)
            }
            // Tests are not served.
            guard !name.hasPrefix("."), depth > 1 || name != "tests" else { continue }
            let type = Self.kind(entry.pointee.d_type, of: path + "/" + name)
            guard type == UInt8(DT_LNK) || type == UInt8(DT_DIR) else { continue }
            guard watched.count < Self.maxFolders else {
                return miss(path, "\(Self.maxFolders) folders are watched already")
            }
            watch(path + "/" + name, isLink: type == UInt8(DT_LNK), depth, &seen)
        }
    }

    /// The type of an entry; some file systems leave it to the caller.
    static func kind(_ type: UInt8, of path: String) -> UInt8 {
        guard type == UInt8(DT_UNKNOWN) else { return type }
        var status = stat()
        guard lstat(path, &status) == 0 else { return type }
        return UInt8((status.st_mode & S_IFMT) >> 12)
    }

    private func watch(_ path: String, isLink: Bool, _ depth: Int, _ seen: inout Set<Place>) {
        if isLink { watchWay(to: path) }
        var status = stat()
        guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else { return }
        guard seen.insert(Place(device: UInt64(status.st_dev), inode: UInt64(status.st_ino))).inserted else { return }
        guard watched.add(folder: path) else { return miss(path) }
        watchSubfolders(of: path, depth + 1, &seen)
    }
}

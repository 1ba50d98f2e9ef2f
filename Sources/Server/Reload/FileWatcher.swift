// Watches a folder tree with inotify and calls when it has been quiet for a moment after a change: editors write a file in
// several steps, some by renaming a new one into place. A folder that is never quiet is looked at all the same, and one that is gone
// is watched again when it is back.
//
// Runs on: its loop's thread.

import CLinux
import EventLoop
import Glibc

/// A watched folder with its subfolders.
final class FileWatcher: Source {
    struct Failure: Error { let message: String }

    private static let mask = UInt32(
        IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF)
    private static let maxFolders = 1000
    /// Changes that go on are told after this many times the quiet that was waited for.
    private static let patience: UInt64 = 10
    /// Milliseconds until a folder that is gone is looked for again.
    private static let retry: UInt64 = 1000

    private let folder: String
    private let isRecursive: Bool
    private let quiet: UInt64
    private unowned let loop: EventLoop
    private let changed: () -> Void
    private var timer: TimerID?
    /// When the first of the changes came that have not been told yet.
    private var firstChange: UInt64?
    private var isGone = false
    private var watches: [Int32] = []

    /// - Parameters:
    ///   - isRecursive: whether the subfolders are watched, too.
    ///   - quiet: milliseconds without a further change before `changed` is called.
    init(
        folder: String, isRecursive: Bool = true, quiet: UInt64, on loop: EventLoop, changed: @escaping () -> Void
    ) throws(Failure) {
        self.folder = folder
        self.isRecursive = isRecursive
        self.quiet = quiet
        self.loop = loop
        self.changed = changed
        let descriptor = inotify_init1(Int32(IN_NONBLOCK | IN_CLOEXEC))
        guard descriptor >= 0 else { throw Failure(message: String(cString: strerror(errno))) }
        super.init(descriptor: descriptor)
        guard watchTree() else { throw Failure(message: "cannot watch \(folder): \(String(cString: strerror(errno)))") }
        loop.add(self, for: .readable)
        // What changed after the start had read the files, and before they were watched, is found this once by looking.
        callWhenQuiet()
    }

    override func ready(_ readiness: Readiness) {
        var buffer = [UInt8](repeating: 0, count: 16 << 10)
        while read(descriptor, &buffer, buffer.count) > 0 {}
        callWhenQuiet()
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
        for watch in watches { inotify_rm_watch(descriptor, watch) }
        watches = []
        guard add(folder) else { return false }
        if isRecursive { watchSubfolders(of: folder) }
        // Removing watches reports IN_IGNORED, which is no change.
        var buffer = [UInt8](repeating: 0, count: 16 << 10)
        while read(descriptor, &buffer, buffer.count) > 0 {}
        return true
    }

    private func add(_ path: String) -> Bool {
        let watch = inotify_add_watch(descriptor, path, Self.mask)
        guard watch >= 0 else { return false }
        watches.append(watch)
        return true
    }

    private func watchSubfolders(of path: String) {
        guard watches.count < Self.maxFolders, let directory = opendir(path) else { return }
        defer { closedir(directory) }
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { raw in
                String(decoding: raw.prefix { $0 != 0 }, as: UTF8.self)
            }
            guard !name.hasPrefix("."), entry.pointee.d_type == UInt8(DT_DIR) else { continue }
            let subfolder = path + "/" + name
            if add(subfolder) { watchSubfolders(of: subfolder) }
        }
    }
}

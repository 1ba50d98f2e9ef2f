// Watches a folder tree with inotify and calls when it has been quiet for a moment after a change: editors write a file in
// several steps, some by renaming a new one into place.
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

    private let folder: String
    private let quiet: UInt64
    private unowned let loop: EventLoop
    private let changed: () -> Void
    private var timer: TimerID?
    private var watches: [Int32] = []

    /// - Parameters:
    ///   - quiet: milliseconds without a further change before `changed` is called.
    init(folder: String, quiet: UInt64, on loop: EventLoop, changed: @escaping () -> Void) throws(Failure) {
        self.folder = folder
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
        if let timer { loop.cancel(timer) }
        timer = loop.schedule(after: quiet) { [unowned self] in
            timer = nil
            // Folders may have come or gone; watching one twice changes nothing.
            _ = watchTree()
            changed()
        }
    }

    private func watchTree() -> Bool {
        for watch in watches { inotify_rm_watch(descriptor, watch) }
        watches = []
        guard add(folder) else { return false }
        watchSubfolders(of: folder)
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

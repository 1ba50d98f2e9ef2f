// The folders that inotify watches, and in each the names that matter: all of them in a folder that is read, one of them in a folder
// that is only on the way. A parent folder such as /tmp has its own life, which is nobody's reload.
//
// Runs on: its loop's thread.

import Glibc

/// Watches of one inotify descriptor.
struct WatchedFolders {
    private static let mask = UInt32(
        IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF
    )
    /// The last report of a removed watch is no change.
    private static let ignored = UInt32(IN_IGNORED)
    private static let bufferSize = 16 << 10

    private let descriptor: Int32
    /// By watch, the names that matter; nil for all.
    private var names: [Int32: Set<String>?] = [:]

    init(descriptor: Int32) { self.descriptor = descriptor }

    var count: Int { names.count }

    /// Watches a folder for every change in it.
    mutating func add(folder: String) -> Bool {
        let watch = inotify_add_watch(descriptor, folder, Self.mask)
        guard watch >= 0 else { return false }
        names[watch] = .some(nil)
        return true
    }

    /// Watches every name on the way of a path. A folder that cannot be watched is passed over, because its names seldom change;
    /// answers the first such folder.
    mutating func add(wayTo path: String) -> String? {
        var unwatched: String?
        for step in PathStep.steps(of: path) {
            let watch = inotify_add_watch(descriptor, step.folder, Self.mask)
            guard watch >= 0 else {
                // A folder that is missing is looked for again.
                if errno != ENOENT && errno != ENOTDIR { unwatched = unwatched ?? step.folder }
                continue
            }
            switch names[watch] {
            case .none: names[watch] = [step.name]
            case .some(.none): break
            case .some(.some(let others)): names[watch] = others.union([step.name])
            }
        }
        return unwatched
    }

    mutating func removeAll() {
        for watch in names.keys { inotify_rm_watch(descriptor, watch) }
        names = [:]
        _ = takeChanges()
    }

    /// Takes the changes so far; whether any of them matters.
    func takeChanges() -> Bool {
        var buffer = [UInt8](repeating: 0, count: Self.bufferSize)
        var matters = false
        while true {
            let count = read(descriptor, &buffer, buffer.count)
            guard count > 0 else { return matters }
            buffer.withUnsafeBytes { bytes in
                var rest = bytes.prefix(count)
                while let event = Event(&rest) { matters = self.matters(event) || matters }
            }
        }
    }

    private func matters(_ event: Event) -> Bool {
        guard event.mask & Self.ignored == 0 else { return false }
        // The queue was too short, so anything may have happened.
        guard event.mask & UInt32(IN_Q_OVERFLOW) == 0 else { return true }
        guard let wanted = names[event.watch] else { return false }
        return wanted?.contains(event.name) ?? true
    }

    /// `struct inotify_event`: watch, mask, cookie, length of the name, and the name with zero bytes behind it.
    private struct Event {
        let watch: Int32
        let mask: UInt32
        let name: String

        init?(_ rest: inout Slice<UnsafeRawBufferPointer>) {
            let head = MemoryLayout<inotify_event>.size
            guard rest.count >= head else { return nil }
            let bytes = UnsafeRawBufferPointer(rebasing: rest)
            watch = bytes.loadUnaligned(as: Int32.self)
            mask = bytes.loadUnaligned(fromByteOffset: 4, as: UInt32.self)
            let length = Int(bytes.loadUnaligned(fromByteOffset: 12, as: UInt32.self))
            guard rest.count >= head + length else { return nil }
            name = String(decoding: bytes[head..<head + length].prefix { $0 != 0 }, as: UTF8.self)
            rest = rest.dropFirst(head + length)
        }
    }
}

// How the kernel finds a file: name by name, each in the folder that the names before have led to, and through symbolic links. A
// change of any of these names may make the path another file.

/// One look-up on the way of a path.
struct PathStep: Equatable {
    /// A path without links, but for the part below the working folder.
    let folder: String
    let name: String

    /// As many links as the kernel follows.
    private static let mostLinks = 40

    /// Every look-up on the way of a path; it ends where the path does.
    static func steps(of path: String) -> [PathStep] {
        var steps: [PathStep] = []
        var folder = path.hasPrefix("/") ? "/" : "."
        var names = [Substring](path.split(separator: "/").reversed())
        var links = 0
        while let name = names.popLast() {
            let place = folder == "/" ? "/" + name : folder + "/" + name
            if name == "." { continue }
            if name == ".." {
                folder = place
                continue
            }
            steps.append(PathStep(folder: folder, name: String(name)))
            guard links < mostLinks, let target = target(of: place) else {
                folder = place
                continue
            }
            links += 1
            if target.hasPrefix("/") { folder = "/" }
            names += target.split(separator: "/").reversed()
        }
        return steps
    }

    /// Where a symbolic link leads; nil for anything else.
    private static func target(of path: String) -> String? {
        withUnsafeTemporaryAllocation(byteCount: Int(PATH_MAX), alignment: 1) { target in
            let count = readlink(path, target.baseAddress!, target.count)
            return count > 0 ? String(decoding: target.prefix(count), as: UTF8.self) : nil
        }
    }
}

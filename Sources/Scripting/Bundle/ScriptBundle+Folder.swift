// Reading a bundle from its folder. Editors leave all sorts of files in a folder: files that are no scripts are
// skipped. Scripts that cannot be used are reported, all of them at once.
//
// Runs on: any thread that may block.

import Glibc

extension ScriptBundle {
    /// Reads every script below a folder.
    ///
    /// `lib/` holds modules. Skipped: `tests/`, `*.d.lua`, hidden files, and files that do not end in `.lua`. Refused:
    /// a folder or file that cannot be read, a file over 1 MiB or not in UTF-8, a name with characters other than
    /// letters, digits, `_` and `-`, folders more than 8 deep or in a circle, more than 1,000 files, and a folder
    /// without a script.
    ///
    /// - Parameter replacement: the text of a file that replaces the folder's file of that path, or is added.
    public static func load(
        folder: String, version: UInt64, routes: [String: String] = [:],
        replacing replacement: (path: ScriptPath, text: [UInt8])? = nil
    ) throws(ScriptErrors) -> ScriptBundle {
        var walk = FolderWalk(root: folder, version: version, passingOver: replacement?.path.file)
        walk.readAll()
        if let replacement { walk.add(replacement.text, as: replacement.path.file) }
        if walk.scripts.isEmpty, walk.problems.isEmpty {
            walk.report(folder, "the folder holds no script, not even main.lua")
        }
        if !walk.problems.isEmpty { throw ScriptErrors(walk.problems) }
        return try ScriptBundle(version: version, scripts: walk.scripts, modules: walk.modules, routes: routes)
    }

    /// Reads the test files of a scripts' folder, in the order of their paths, which begin with "tests/". None when
    /// there is no such folder.
    package static func tests(folder: String) throws(ScriptErrors) -> [ScriptFile] {
        var status = stat()
        guard stat(folder + "/tests", &status) == 0 else { return [] }
        var walk = FolderWalk(root: folder, version: 0)
        walk.readTests()
        if !walk.problems.isEmpty { throw ScriptErrors(walk.problems) }
        return walk.scripts
    }
}

struct FolderWalk {
    static let deepest = 8
    private static let mostFiles = 1_000
    private static let largestFile = 1 << 20

    /// The identity of a folder that is being read, to recognise it behind a symbolic link.
    private struct Place: Equatable {
        let device: UInt
        let inode: UInt
    }

    private let root: String
    private let version: UInt64
    /// A file that is not read, because another text replaces it.
    private let passedOver: String?
    private var open: [Place] = []
    private(set) var scripts: [ScriptFile] = []
    private(set) var modules: [ScriptFile] = []
    private(set) var problems: [ScriptError] = []

    init(root: String, version: UInt64, passingOver passedOver: String? = nil) {
        self.root = root
        self.version = version
        self.passedOver = passedOver
    }

    mutating func readAll() {
        readFolder("")
    }

    mutating func readTests() {
        readFolder("tests/")
    }

    mutating func report(_ path: String, _ message: String) {
        problems.append(ScriptError(file: path, message: message, version: version))
    }

    /// `path` is relative to the root and empty or ends in "/".
    private mutating func readFolder(_ path: String) {
        let shown = path.isEmpty ? root : path
        guard let place = place(of: root + "/" + path), let folder = opendir(root + "/" + path) else {
            return report(shown, "cannot be read: \(String(cString: strerror(errno)))")
        }
        defer { closedir(folder) }
        if open.contains(place) { return report(shown, "is a folder that contains itself, by a symbolic link") }
        if open.count > Self.deepest { return report(shown, "folders are nested more than \(Self.deepest) deep") }
        open.append(place)
        defer { open.removeLast() }
        for name in names(in: folder) {
            readEntry(name, in: path)
        }
    }

    private func place(of path: String) -> Place? {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        return Place(device: UInt(status.st_dev), inode: UInt(status.st_ino))
    }

    private func names(in folder: OpaquePointer) -> [String] {
        var names: [String] = []
        while let entry = readdir(folder) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if !name.hasPrefix("."), !name.hasPrefix("#"), !name.hasSuffix("~") { names.append(name) }
        }
        return names.sorted()
    }

    private mutating func readEntry(_ name: String, in folder: String) {
        let path = folder + name
        var status = stat()
        guard stat(root + "/" + path, &status) == 0 else {
            // A link to nowhere, or a file that an editor has just replaced.
            if name.hasSuffix(".lua") { report(path, "cannot be read: \(String(cString: strerror(errno)))") }
            return
        }
        if status.st_mode & S_IFMT == S_IFDIR {
            if path != "tests" { readFolder(path + "/") }
        } else if name.hasSuffix(".lua"), !name.hasSuffix(".d.lua") {
            status.st_mode & S_IFMT == S_IFREG ? readFile(path) : report(path, "is not a regular file")
        }
    }

    private mutating func readFile(_ path: String) {
        guard path != passedOver else { return }
        let name = String(path.dropLast(4))
        guard ScriptPath.isUsable(name) else {
            return report(path, "the name may have letters, digits, '_' and '-' only")
        }
        if scripts.count + modules.count == Self.mostFiles {
            return report(path, "there are more than \(Self.mostFiles) files")
        }
        guard let bytes = contents(of: path) else { return }
        add(bytes, as: path)
    }

    /// Takes a file whose name is usable.
    mutating func add(_ bytes: [UInt8], as path: String) {
        let name = String(path.dropLast(4))
        guard bytes.count <= Self.largestFile else { return report(path, "is larger than 1 MiB") }
        guard let source = String(validating: bytes, as: UTF8.self) else {
            return report(path, "is not valid UTF-8")
        }
        if name.hasPrefix("lib/") {
            modules.append(ScriptFile(name: String(name.dropFirst(4)), path: path, source: source))
        } else {
            scripts.append(ScriptFile(name: name, path: path, source: source))
        }
    }

    private mutating func contents(of path: String) -> [UInt8]? {
        let descriptor = Glibc.open(root + "/" + path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            report(path, "cannot be read: \(String(cString: strerror(errno)))")
            return nil
        }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 64 * 1024)
        while true {
            let count = read(descriptor, &chunk, chunk.count)
            if count < 0 {
                if errno == EINTR { continue }
                report(path, "cannot be read: \(String(cString: strerror(errno)))")
                return nil
            }
            if count == 0 { return bytes }
            bytes.append(contentsOf: chunk[..<count])
            if bytes.count > Self.largestFile {
                report(path, "is larger than 1 MiB")
                return nil
            }
        }
    }
}

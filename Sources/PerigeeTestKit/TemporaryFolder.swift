// TemporaryFolder: a folder for one test, removed with everything in it when the last reference goes.

import Glibc

/// A fresh folder under TMPDIR (or /tmp).
public final class TemporaryFolder {
    /// Its absolute path, without a slash at the end.
    public let path: String

    public init() throws(ClientError) {
        let parent = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        var template = Array("\(parent)/perigee-test-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw .system(call: "mkdtemp in \(parent)", code: errno) }
        path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    deinit {
        guard let removal = try? ChildProcess.start("rm", ["-rf", "--", path]) else { return }
        _ = try? removal.wait()
    }

    /// Writes a file, in one step for a reader, as careful editors do: to a name of its own first, then renamed. Folders in
    /// `name` are made.
    public func write(_ text: String, to name: String) throws(ClientError) {
        try makeFolders(for: name)
        try File.write(Array(text.utf8), to: "\(path)/\(name).new")
        guard rename("\(path)/\(name).new", "\(path)/\(name)") == 0 else {
            throw .system(call: "rename to \(name)", code: errno)
        }
    }

    /// Removes a file.
    public func remove(_ name: String) throws(ClientError) {
        guard unlink("\(path)/\(name)") == 0 else { throw .system(call: "unlink \(name)", code: errno) }
    }

    private func makeFolders(for name: String) throws(ClientError) {
        var folder = path
        for part in name.split(separator: "/").dropLast() {
            folder += "/\(part)"
            guard mkdir(folder, 0o755) == 0 || errno == EEXIST else {
                throw .system(call: "mkdir \(folder)", code: errno)
            }
        }
    }
}

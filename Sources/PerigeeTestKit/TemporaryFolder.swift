// TemporaryFolder: a folder for one test, removed with its content when the last reference goes; and how whole files are
// written.

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

    /// Writes a file in one step for its readers, as careful editors do: to a new name, then renamed. Makes the folders in
    /// `name`.
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

/// Whole files: scripts under test and pictures of pages.
enum File {
    /// The folder of Package.swift.
    static let repositoryRoot = String(#filePath.dropLast("/Sources/PerigeeTestKit/TemporaryFolder.swift".count))

    /// Creates or replaces the file at `path`.
    static func write(_ bytes: [UInt8], to path: String) throws(ClientError) {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw .system(call: "open \(path)", code: errno) }
        defer { close(descriptor) }
        var written = 0
        while written < bytes.count {
            let count = bytes[written...].withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress!, $0.count) }
            guard count >= 0 || errno == EINTR else { throw .system(call: "write \(path)", code: errno) }
            written += max(count, 0)
        }
    }
}

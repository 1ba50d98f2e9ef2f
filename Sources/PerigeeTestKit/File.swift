// File: writing a whole file, for scripts under test and pictures of pages.

import Glibc

enum File {
    /// The folder that holds Package.swift, which this file lies two folders below.
    static let repositoryRoot = String(#filePath.dropLast("/Sources/PerigeeTestKit/File.swift".count))

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

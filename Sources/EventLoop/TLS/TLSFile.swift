// A file with certificates or a key, read whole: what is loaded is what was read, and whether a renewal has changed anything
// is a comparison.
//
// Runs on: a thread that may block.

import Glibc

/// The content of a PEM file.
public struct TLSFile: Sendable, Equatable {
    /// More than any chain of certificates has.
    private static let limit = 1 << 20

    let path: String
    let bytes: [UInt8]

    /// Reads the file, which is at most 1 MiB.
    public init(_ path: String) throws(TLSError) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw Self.unreadable(path) }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 64 << 10)
        while bytes.count <= Self.limit {
            let count = read(descriptor, &chunk, chunk.count)
            guard count >= 0 else { throw Self.unreadable(path) }
            guard count > 0 else { break }
            bytes += chunk[..<count]
        }
        guard bytes.count <= Self.limit else { throw TLSError("\(path): larger than 1 MiB") }
        self.path = path
        self.bytes = bytes
    }

    private static func unreadable(_ path: String) -> TLSError {
        TLSError("\(path): \(String(cString: strerror(errno)))")
    }
}

// The bytes of a configuration file: read once, whole, and never more of them than a configuration could need.

internal import Glibc

/// Reads a configuration file.
enum ConfigurationFile {
    /// The largest file that is read, in bytes.
    static let largest = 1 << 20

    /// Why a file was not read, in words that follow its name.
    struct Unreadable: Error, Equatable {
        let reason: String
    }

    /// The file's text, UTF-8.
    static func read(_ path: String) throws(Unreadable) -> String {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Unreadable(reason: "cannot be read: \(systemMessage())") }
        defer { close(descriptor) }
        let bytes = try read(descriptor)
        guard let text = String(validating: bytes, as: UTF8.self) else { throw Unreadable(reason: "is not UTF-8 text") }
        return text
    }

    private static func read(_ descriptor: Int32) throws(Unreadable) -> [UInt8] {
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = Glibc.read(descriptor, &piece, piece.count)
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw Unreadable(reason: "cannot be read: \(systemMessage())") }
            if count == 0 { return bytes }
            bytes += piece[..<count]
            guard bytes.count <= largest else { throw Unreadable(reason: "is larger than 1 MiB") }
        }
    }

    private static func systemMessage() -> String { String(cString: strerror(errno)) }
}

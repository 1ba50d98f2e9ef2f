// The service manager's end of sd_notify: a datagram socket on which a test reads what a process says about itself.

import Glibc
import PerigeeTestKit

/// A UNIX datagram socket with a name that NOTIFY_SOCKET can say.
final class NotifySocket {
    /// The value of NOTIFY_SOCKET: a path, or `@` and an abstract name.
    let name: String
    private let descriptor: Int32
    private let folder: TemporaryFolder

    init(isAbstract: Bool) throws {
        folder = try TemporaryFolder()
        name = (isAbstract ? "@" : "") + folder.path + "/notify"
        descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        var bytes = Array(name.utf8)
        if isAbstract { bytes[0] = 0 }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        let size = socklen_t(MemoryLayout<sa_family_t>.size + bytes.count)
        let result = withUnsafeBytes(of: &address) { raw in
            bind(descriptor, raw.baseAddress!.assumingMemoryBound(to: sockaddr.self), size)
        }
        guard result == 0 else { throw ClientError.system(call: "bind \(name)", code: errno) }
    }

    deinit { close(descriptor) }

    /// The assignments of the next message; nil when none comes in time.
    func next(within milliseconds: Int32 = 20_000) -> [String]? {
        var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        guard poll(&entry, 1, milliseconds) > 0 else { return nil }
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = recv(descriptor, &buffer, buffer.count, 0)
        return String(decoding: buffer.prefix(max(0, count)), as: UTF8.self).split(separator: "\n").map(String.init)
    }

    /// The next message with this assignment, those before it dropped.
    func next(with assignment: String) throws -> [String] {
        while let message = next() {
            if message.contains(assignment) { return message }
        }
        throw ClientError.unexpected("no message with \(assignment)")
    }
}

// What a starting perigee prints: ` clients ws://127.0.0.1:41001` and ` admin API http://127.0.0.1:41002` among it.

import CLinux
import EventLoop
import Glibc

/// The pipe at a starting server's standard output.
final class StartOutput {
    private let readEnd: Int32
    /// For the server's standard output; closed here once the addresses are asked for.
    private(set) var writeEnd: Int32

    init() throws(BenchError) {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw BenchError("no pipe to the server: \(String(cString: strerror(errno)))") }
        (readEnd, writeEnd) = (ends[0], ends[1])
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    }

    deinit {
        close(readEnd)
        closeWriteEnd()
    }

    private func closeWriteEnd() {
        if writeEnd >= 0 { close(writeEnd) }
        writeEnd = -1
    }

    /// Waits for the lines with both addresses.
    func addresses(within milliseconds: Int32) throws(BenchError) -> (clients: SocketAddress, admin: SocketAddress) {
        closeWriteEnd()
        let end = clinux_monotonic_nanoseconds() + UInt64(milliseconds) * 1_000_000
        var text: [UInt8] = []
        while clinux_monotonic_nanoseconds() < end {
            if let clients = address(in: text, after: "  clients    ws://"),
                let admin = address(in: text, after: "  admin API  http://")
            {
                return (clients, admin)
            }
            var entry = pollfd(fd: readEnd, events: Int16(POLLIN), revents: 0)
            guard poll(&entry, 1, 100) > 0 else { continue }
            var piece = [UInt8](repeating: 0, count: 4_096)
            let count = read(readEnd, &piece, piece.count)
            guard count > 0 else { throw BenchError("the server ended as it started") }
            text += piece[..<count]
        }
        throw BenchError("the server has not said within \(milliseconds / 1_000) s where it listens")
    }

    private func address(in text: [UInt8], after label: String) -> SocketAddress? {
        for line in text.split(separator: UInt8(ascii: "\n")).dropLast() where line.starts(with: label.utf8) {
            return SocketAddress(text: String(decoding: line.dropFirst(label.utf8.count), as: UTF8.self))
        }
        return nil
    }
}

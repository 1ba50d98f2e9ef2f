// The other end of a socket under test: a plain non-blocking descriptor that the test reads and writes by hand.

import CLinux
import Glibc
import PerigeeTestKit

/// A descriptor that a test holds; it is closed with this object.
final class Peer {
    private(set) var descriptor: Int32

    init(descriptor: Int32) { self.descriptor = descriptor }

    deinit { hangUp() }

    /// At most `limit` bytes that have arrived; empty when none have, nil at the end of the stream or after a reset.
    func read(atMost limit: Int = 1 << 20) -> [UInt8]? {
        var isOver = false
        let bytes = [UInt8](unsafeUninitializedCapacity: limit) { buffer, count in
            let result = recv(descriptor, buffer.baseAddress, limit, Int32(MSG_DONTWAIT))
            count = max(0, result)
            isOver = result == 0 || (result < 0 && errno != EAGAIN)
        }
        return isOver ? nil : bytes
    }

    /// All bytes that have arrived, one element for each record of a SOCK_SEQPACKET pair, whose records are the
    /// writer's writes.
    func readRecords() -> [[UInt8]] {
        var records: [[UInt8]] = []
        while let record = read(), !record.isEmpty { records.append(record) }
        return records
    }

    /// All bytes that have arrived.
    func readAll() -> [UInt8] { Array(readRecords().joined()) }

    func send(_ bytes: [UInt8]) {
        precondition(Glibc.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count)
    }

    func shutdownWrite() { shutdown(descriptor, Int32(SHUT_WR)) }

    func hangUp() {
        guard descriptor >= 0 else { return }
        PerigeeTestKit.hangUp(descriptor)
        descriptor = -1
    }

    /// Hangs up with a TCP reset, which a shutdown would turn into an orderly end.
    func reset() {
        var now = linger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &now, socklen_t(MemoryLayout<linger>.size))
        close(descriptor)
        descriptor = -1
    }
}

// SocketPair: its kinds, and how it hangs up.

import Glibc
import PerigeeTestKit
import Testing

@Suite("SocketPair", .bounded)
struct SocketPairTests {
    /// Reading waits only when it is asked to.
    @Test("both ends close on exec", arguments: [false, true])
    func flags(blocks: Bool) {
        let pair = SocketPair(blocks: blocks)
        defer { pair.close() }
        for end in [pair.near, pair.far] {
            #expect(fcntl(end, F_GETFD) & FD_CLOEXEC != 0)
            #expect((fcntl(end, F_GETFL) & O_NONBLOCK == 0) == blocks)
        }
    }

    @Test("a pair that keeps writes hands each one out by itself")
    func records() {
        let pair = SocketPair(keepsWrites: true)
        defer { pair.close() }
        for text in ["one", "two"] { #expect(send(pair.near, text, 3, Int32(MSG_NOSIGNAL)) == 3) }
        var bytes = [UInt8](repeating: 0, count: 10)
        for text in ["one", "two"] {
            #expect(recv(pair.far, &bytes, bytes.count, 0) == 3)
            #expect(Array(bytes.prefix(3)) == Array(text.utf8))
        }
    }

    @Test("hanging up ends the stream at once despite a second descriptor")
    func hangsUp() {
        let pair = SocketPair()
        let copy = dup(pair.far)
        hangUp(pair.far)
        var byte: UInt8 = 0
        #expect(recv(pair.near, &byte, 1, 0) == 0)
        close(copy)
        close(pair.near)
    }
}

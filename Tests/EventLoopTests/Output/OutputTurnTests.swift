// Bytes and their turns: bytes of the turn buffer leave in the turn in which they were written, to the socket for which
// they were written, even if the sockets close or block meanwhile.

import COpenSSL
import Glibc
import Testing

@testable import EventLoop

@Suite("Output: turns", .bounded)
struct OutputTurnTests {
    private let stage = Stage()
    private let kernel = ScriptedKernel()

    @Test(
        "bytes that drained writes reach only its own socket's peer"
    )
    func refusedWhileDirty() {
        let (first, second, third) = (stage.pair().socket, stage.pair().socket, stage.pair().socket)
        first.react = { _, event in
            if event == .drained { second.write([1, 2, 3]) }
        }
        kernel.run {
            first.write([7])
            // As when an answer of OpenSSL itself finds no room; there is room again when the turn's output is written.
            stage.loop.atEndOfTurn { first.block(hasProgressed: false) }
            for _ in 0..<3 { stage.turn() }
            #expect(first.events == [.drained], "the test is about what drained writes")
            third.write([9, 9, 9])
            second.write([4])
            second.flushNow()
            stage.turn()
        }
        #expect(kernel.taken[second.descriptor] == [1, 2, 3, 4])
        #expect(kernel.taken[third.descriptor] == [9, 9, 9])
        #expect([first, second, third].allSatisfy { $0.queuedBytes == 0 })
    }

    @Test("drained is not called while the output of others is being written")
    func drainedOutsideOfFlush() {
        let sockets = (0..<4).map { _ in stage.pair().socket }
        var callsAtDrained: [Int?] = []
        sockets[1].react = { [kernel] _, event in
            if event == .drained { callsAtDrained = sockets.map { kernel.calls[$0.descriptor] } }
        }
        kernel.run {
            for socket in sockets { socket.write([1]) }
            stage.loop.atEndOfTurn { sockets[1].block(hasProgressed: false) }
            for _ in 0..<3 { stage.turn() }
        }
        #expect(callsAtDrained == [1, 1, 1, 1], "all of them had their turn")
    }

    @Test("a refused answer of a TLS 1.2 handshake harms no other socket's bytes")
    func refusedAlert() {
        let (first, client) = stage.securePair(maxVersion: TLS1_2_VERSION)
        let (second, third) = (stage.pair().socket, stage.pair().socket)
        first.react = { _, event in
            if event == .drained || event == .closed { second.write([1, 2, 3]) }
        }
        kernel.run {
            first.write([7])
            client.peer.send(client.renegotiation())
            kernel.answers[first.descriptor] = [0]
            for _ in 0..<3 { stage.turn() }
            third.write([9, 9, 9])
            second.write([4])
            second.flushNow()
            stage.turn()
        }
        #expect(kernel.taken[second.descriptor] == [1, 2, 3, 4])
        #expect(kernel.taken[third.descriptor] == [9, 9, 9])
    }

    @Test(
        "a socket whose peer is gone in the middle of a write takes no more bytes",
        arguments: [false, true])
    func goneInTheMiddle(_ isLarge: Bool) {
        let (socket, peer) = stage.pair()
        peer.send([1])
        kernel.run {
            kernel.answers[socket.descriptor] = [-Int(EPIPE)]
            socket.write([UInt8](repeating: 7, count: 30_000))
            if isLarge {
                socket.writeThrough([1, 2], [UInt8](repeating: 8, count: 50_000))
            } else {
                // The turn buffer is full, so this socket is written first.
                for _ in 0..<3 { socket.write([UInt8](repeating: 7, count: 30_000)) }
            }
            let calls = kernel.calls[socket.descriptor]
            for _ in 0..<3 { stage.turn() }
            #expect(calls == 1 && kernel.taken.isEmpty)
        }
        #expect(socket.events == [.bytes([1]), .closed])
        withExtendedLifetime(peer) {}
    }

    @Test("a slice of an earlier turn has no bytes and joins no later slice")
    func staleSlice() {
        var buffer = TurnBuffer()
        let first = buffer.reserve(4)!.slice
        let second = buffer.reserve(6)!.slice
        let both = first.joined(with: second)!
        let sizes = [
            buffer.bytes(of: first)?.count, buffer.bytes(of: both)?.count, buffer.bytes(of: both.dropping(7))?.count,
        ]
        #expect(sizes == [4, 10, 3])
        #expect(second.joined(with: first) == nil)
        buffer.reset()
        let third = buffer.reserve(4)!.slice
        let fourth = buffer.reserve(1)!.slice
        let sizesAfter = [
            buffer.bytes(of: first)?.count, buffer.bytes(of: both)?.count, buffer.bytes(of: third)?.count,
        ]
        #expect(sizesAfter == [nil, nil, 4])
        #expect(first != third && first.joined(with: fourth) == nil)
    }

    @Test("a queue sends nothing of an earlier turn's slice, in any way of sending", arguments: 0..<4)
    func staleQueue(_ way: Int) {
        var buffer = TurnBuffer()
        let gather = UnsafeMutableRawBufferPointer.allocate(byteCount: OutputQueue.gatherLimit, alignment: 8)
        defer { gather.deallocate() }
        let queue = OutputQueue()
        if way == 1 { queue.append(copying: UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(gather)[..<10])) }
        if way == 2 { queue.append(copying: UnsafeRawBufferPointer(gather)) }
        queue.append(.turn(buffer.reserve(4)!.slice))
        buffer.reset()
        let descriptor = stage.pair().socket.descriptor
        kernel.run {
            if way == 3 {
                let isKept = queue.keep(turn: buffer)
                #expect(!isKept)
            } else {
                let result = queue.write(to: descriptor, turn: buffer, gather: gather)
                #expect(result == OutputQueue.stale)
            }
        }
        #expect(kernel.taken[descriptor] == nil)
    }

    @Test("a socket with output of a turn that is over stops a debug build")
    func staleSocket() async {
        await #expect(processExitsWith: .failure) {
            let stage = Stage()
            let (socket, _) = stage.pair()
            socket.write([1, 2, 3])
            stage.loop.turnBuffer.reset()
            stage.turn()
        }
    }

    @Test("a client that asks for a new TLS 1.2 handshake is cut off")
    func renegotiation() {
        let (socket, client) = stage.securePair(maxVersion: TLS1_2_VERSION)
        let descriptor = socket.descriptor
        kernel.run {
            client.peer.send(client.encrypt([1]) + client.renegotiation())
            #expect(stage.turn(atMost: 1_000) { socket.events.last == .closed })
        }
        #expect(socket.events.contains(.bytes([1])), "the bytes before it are received")
        #expect((kernel.taken[descriptor]?.count ?? 0) < 200, "one alert, and no more")
    }
}

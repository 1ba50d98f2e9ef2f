// Random writers, slow readers: for all sizes, kinds and times of writes, the bytes that arrive are the bytes that were
// written.

import SeededGenerator
import Testing

@testable import EventLoop

@Suite("Socket: random writes", .bounded)
struct SocketFuzzTests {
    @Test("a slow peer reads exactly the bytes written through a small buffer", arguments: 0..<8)
    func slowPeer(_ seed: Int) {
        var run = WritingRun(seed: UInt64(seed))
        for _ in 0..<250 { run.step() }
        run.finish()
        for line in run.lines {
            #expect(line.received == line.expected, "\(line.expected.count) written, \(line.received.count) read")
            #expect(line.socket.queuedBytes == 0)
        }
        #expect(run.wasBlocked, "a run in which no peer is slow proves little")
        #expect(run.sharedAlive == 0)
    }
}

/// Some sockets of one loop, with the bytes written to each and the bytes that its peer has read.
private struct WritingRun {
    final class Line {
        let socket: RecordingSocket
        let peer: Peer
        var expected: [UInt8] = []
        var received: [UInt8] = []

        init(_ pair: (socket: RecordingSocket, peer: Peer)) { (socket, peer) = pair }

        func read(atMost limit: Int) { received += peer.read(atMost: limit) ?? [] }
    }

    private final class Count { var value = 0 }

    private let stage = Stage()
    private var generator: SeededGenerator
    private let alive = Count()
    let lines: [Line]
    private(set) var wasBlocked = false

    var sharedAlive: Int { alive.value }

    init(seed: UInt64) {
        generator = SeededGenerator(seed: seed)
        let rooms: [Int32?] = [4_096, nil, 1 << 20]
        lines = (0..<3).map { [stage] in Line(stage.pair(room: rooms[$0])) }
    }

    mutating func step() {
        let line = lines.randomElement(using: &generator)!
        switch Int.random(in: 0...11, using: &generator) {
        case 0...2: write(line)
        case 3: for _ in 0..<Int.random(in: 1...60, using: &generator) { write(line) }
        case 4...6: writeShared(line)
        case 7 where generator.oneIn(2): line.socket.flushNow()
        case 7: writeThrough(line)
        case 8, 9: line.read(atMost: Int.random(in: 1...60_000, using: &generator))
        default: stage.turn()
        }
        wasBlocked = wasBlocked || line.socket.isBlocked
        // A writer that never waits for its reader would only test the memory of the machine.
        for _ in 0..<1_000 where line.socket.queuedBytes > 1 << 20 {
            line.read(atMost: 1 << 16)
            stage.turn()
        }
    }

    private mutating func size() -> Int {
        let scales = [1...20, 1...600, 1...5_000, 4_000...30_000, 60_000...300_000]
        return Int.random(in: scales[min(Int.random(in: 0...20, using: &generator) / 5, 4)], using: &generator)
    }

    private mutating func write(_ line: Line) {
        let bytes = generator.bytes(size())
        line.expected += bytes
        line.socket.write(bytes)
    }

    private mutating func writeThrough(_ line: Line) {
        let (head, body) = (generator.bytes(size()), generator.bytes(size()))
        line.expected += head + body
        line.socket.writeThrough(head, body)
    }

    private mutating func writeShared(_ line: Line) {
        let bytes = generator.bytes(size())
        alive.value += 1
        let piece = SharedBytes(bytes) { [alive] in alive.value -= 1 }
        for line in generator.oneIn(4) ? lines : [line] {
            line.expected += bytes
            line.socket.write(shared: piece)
        }
    }

    mutating func finish() {
        stage.turn {
            for line in lines { line.read(atMost: 1 << 20) }
            return lines.allSatisfy { $0.received.count >= $0.expected.count && $0.socket.queuedBytes == 0 }
        }
        stage.turn()
    }
}

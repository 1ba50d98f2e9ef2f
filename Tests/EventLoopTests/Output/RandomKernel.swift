// A kernel that takes any part of what it is given, has no room for it, or fails.

import Glibc
import SeededGenerator

@testable import EventLoop

/// Answers sends at random, and hands what it takes to the line that the descriptor belongs to.
final class RandomKernel: StandInKernel, @unchecked Sendable {
    private struct Wire {
        unowned let line: ModelLine
        unowned let model: OutputModel
        var isBroken = false
    }

    /// Takes everything.
    var isOpen = false
    private(set) var refusals = 0
    private(set) var failures = 0
    private(set) var bytes = 0
    private var generator: SeededGenerator
    private var wires: [Int32: Wire] = [:]
    /// While it is above zero there is no room for anybody: a crowd that is refused is drained in one turn.
    private var closedFor = 0

    init(seed: UInt64) { generator = SeededGenerator(seed: seed) }

    func connect(_ descriptor: Int32, to line: ModelLine, _ model: OutputModel) {
        wires[descriptor] = Wire(line: line, model: model)
    }

    func disconnect(_ descriptor: Int32) { wires[descriptor] = nil }

    func send(_ pieces: UnsafeBufferPointer<iovec>, to descriptor: Int32) -> Int {
        let size = pieces.reduce(0) { $0 + $1.iov_len }
        guard let wire = wires[descriptor] else { fatalError("\(size) bytes for a descriptor that is nobody's") }
        guard !wire.isBroken else {
            wire.model.fault("line \(wire.line.name) was given bytes behind its end")
            return -Int(EPIPE)
        }
        let count = isOpen ? size : answer(to: size)
        if count < 0 {
            failures += 1
            wires[descriptor]!.isBroken = true
            wire.line.fail()
        }
        if count == 0 { refusals += 1 }
        guard count > 0 else { return count }
        bytes += count
        var left = count
        for piece in pieces where left > 0 {
            let taken = min(left, piece.iov_len)
            wire.line.take(UnsafeRawBufferPointer(start: piece.iov_base, count: taken), wire.model)
            left -= taken
        }
        return count
    }

    private func answer(to size: Int) -> Int {
        if closedFor > 0 {
            closedFor -= 1
            return 0
        }
        switch Int.random(in: 0..<400, using: &generator) {
        case 0: return -Int([EPIPE, ECONNRESET, ENOBUFS].randomElement(using: &generator)!)
        case 1...5:
            closedFor = Int.random(in: 1...30, using: &generator)
            return 0
        case 6...80: return 0
        case 81...130: return Int.random(in: 1...size, using: &generator)
        case 131...160: return min(size, Int.random(in: 1...40, using: &generator))
        default: return size
        }
    }
}

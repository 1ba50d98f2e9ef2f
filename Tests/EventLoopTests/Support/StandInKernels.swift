// Kernels that stand in for the real one: one that takes any part of the bytes, has no room for them, or fails at
// random, and one whose answers a test writes down, for cases that a real kernel makes only by chance.

import Glibc
import SeededGenerator

@testable import EventLoop

/// Answers sends at random, and hands the bytes that it takes to the line of the descriptor.
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
    /// While it is above zero there is no room for any socket, so that many refused sockets drain in one turn.
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

/// A kernel that takes as many bytes as its script says, and records them.
final class ScriptedKernel: StandInKernel, @unchecked Sendable {
    /// The next answers for a descriptor: the number of bytes taken, 0 for no room, a negative errno for a broken
    /// connection. Without an answer the kernel takes everything.
    var answers: [Int32: [Int]] = [:]
    /// The bytes that each descriptor has taken.
    private(set) var taken: [Int32: [UInt8]] = [:]
    /// How often each descriptor was offered bytes.
    private(set) var calls: [Int32: Int] = [:]

    func send(_ pieces: UnsafeBufferPointer<iovec>, to descriptor: Int32) -> Int {
        calls[descriptor, default: 0] += 1
        let bytes = pieces.flatMap { Array(UnsafeRawBufferPointer(start: $0.iov_base, count: $0.iov_len)) }
        var count = bytes.count
        if let answer = answers[descriptor]?.first {
            answers[descriptor]?.removeFirst()
            guard answer >= 0 else { return answer }
            count = min(count, answer)
        }
        taken[descriptor, default: []] += bytes.prefix(count)
        return count
    }

    /// Answers the sends of `body` in the kernel's place.
    func run<Result>(_ body: () -> Result) -> Result { SystemWrite.$kernel.withValue(self, operation: body) }
}

// The actions of a turn or a callback of the model.

import Glibc
import SeededGenerator

@testable import EventLoop

extension OutputModel {
    /// One random action on a random line.
    func act() { act(on: Int.random(in: lines.indices, using: &generator)) }

    /// One random action.
    func act(on index: Int) {
        guard allowance > 0 else { return }
        allowance -= 1
        let line = lines[index]
        guard !line.isOver else { return }
        switch Int.random(in: 0..<44, using: &generator) {
        case 0...7: write(to: line, size: 1...600)
        case 8...9: for _ in 0..<Int.random(in: 2...12, using: &generator) { write(to: line, size: 1...300) }
        case 10: write(to: line, size: 5_000...45_000)
        case 11: if generator.oneIn(4) { write(to: line, size: 30_000...80_000) }
        case 12: line.refuse(self)
        case 13...15: writeShared(to: [line], size: 1...1_500)
        case 16...20: publish()
        case 21: if generator.oneIn(4) { writeShared(to: lines.filter { !$0.isOver }, size: 8_000...40_000) }
        case 22...23: line.writeThrough(bytes(1...14), bytes(1...9_000))
        case 24...25: line.socket.flushNow()
        case 26...27: subscribe(index)
        case 28: line.socket.setReading(generator.oneIn(2))
        case 29: loop.atEndOfTurn { [unowned self] in act() }
        case 30: setTimer()
        case 31: if let timer = timers.randomElement(using: &generator) { loop.cancel(timer) }
        case 32...36: line.say(self)
        case 37: if generator.oneIn(3) { line.finish() }
        case 38: if generator.oneIn(6) { line.abort() }
        case 39: line.setDeadline(generator.oneIn(4) ? nil : UInt64.random(in: 1...200, using: &generator))
        case 40...41: inbox.post(Int.random(in: lines.indices, using: &generator))
        case 42: loop.hasWork = true
        default: if generator.oneIn(6) { line.hangUp() }
        }
    }

    private func bytes(_ size: ClosedRange<Int>) -> UnsafeRawBufferPointer {
        let count = Int.random(in: size, using: &generator)
        return Noise.bytes(count, at: Int.random(in: 0..<Noise.count - count, using: &generator))
    }

    private func write(to line: ModelLine, size: ClosedRange<Int>) {
        let piece = bytes(size)
        if piece.count > loop.turnBuffer.capacityLeft { seen.fullTurns += 1 }
        line.write(piece)
    }

    private func writeShared(to lines: [ModelLine], size: ClosedRange<Int>) {
        let piece = SharedBytes(Array(bytes(size)))
        for line in lines { line.write(piece) }
    }

    private func publish() {
        let members = channels.randomElement(using: &generator)!
        writeShared(to: members.sorted().map { lines[$0] }.filter { !$0.isOver }, size: 1...900)
    }

    private func subscribe(_ index: Int) {
        let channel = Int.random(in: channels.indices, using: &generator)
        if channels[channel].remove(index) == nil { channels[channel].insert(index) }
    }

    private func setTimer() {
        if timers.count > 20 { timers.removeFirst(10) }
        timers.append(loop.schedule(after: UInt64.random(in: 0...3, using: &generator)) { [unowned self] in act() })
    }
}

/// Bytes that differ at every offset.
enum Noise {
    static let count = 1 << 20
    nonisolated(unsafe) private static let memory: UnsafeRawBufferPointer = {
        var generator = SeededGenerator(seed: 99)
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: count, alignment: 8)
        for word in memory.bindMemory(to: UInt64.self).indices {
            memory.storeBytes(of: generator.next(), toByteOffset: word * 8, as: UInt64.self)
        }
        return UnsafeRawBufferPointer(memory)
    }()

    static func bytes(_ count: Int, at start: Int) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: memory[start..<start + count])
    }
}

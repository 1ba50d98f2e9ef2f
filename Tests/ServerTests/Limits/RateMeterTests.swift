// What a rate meter keeps of a client that is held back.

import Testing

@testable import Server

@Suite("RateMeter")
struct RateMeterTests {
    private func meter() -> RateMeter {
        var limits = Configuration.Limits()
        (limits.messagesPerSecond, limits.burst) = (10, .seconds(1))
        return RateMeter(RateLimit(limits), now: 0)
    }

    private func hold(_ bytes: [UInt8], in meter: RateMeter, more: Bool = false) {
        var bytes = bytes
        bytes.withUnsafeMutableBytes { more ? meter.holdMore($0) : meter.hold($0) }
    }

    @Test("keeps a copy of what was not handled, then what is left of it, and in the end nothing")
    func holding() {
        let meter = meter()
        #expect(!meter.holds)
        hold([1, 2, 3, 4], in: meter)
        #expect(meter.holds && Array(meter.rest) == [1, 2, 3, 4])
        meter.hold(UnsafeMutableRawBufferPointer(rebasing: meter.rest[2...]))
        #expect(Array(meter.rest) == [3, 4])
        hold([5, 6], in: meter, more: true)
        #expect(Array(meter.rest) == [3, 4, 5, 6])
        meter.letGo()
        #expect(!meter.holds && meter.rest.isEmpty)
    }

    @Test("holds a client back without a byte of it, when its bytes were too many")
    func holdingNothing() {
        let meter = meter()
        hold([], in: meter)
        #expect(meter.holds && meter.rest.isEmpty)
        hold([7], in: meter, more: true)
        #expect(Array(meter.rest) == [7])
    }

    @Test("what is unhandled waits for a message's token, and nothing unhandled for none")
    func waiting() {
        let meter = meter()
        for _ in 0..<10 { #expect(meter.takeMessage()) }
        #expect(meter.isOutOfMessages)
        var byte: [UInt8] = [1]
        byte.withUnsafeMutableBytes { #expect(meter.wait(with: $0) == 100) }
        #expect(meter.wait(with: UnsafeMutableRawBufferPointer(start: nil, count: 0)) == 0)
        meter.fill(at: 100)
        #expect(!meter.isOutOfMessages)
    }
}

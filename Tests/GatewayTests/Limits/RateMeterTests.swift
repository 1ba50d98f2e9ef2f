// The verdicts of a rate meter on a client that sends too much.

import Settings
import Testing

@testable import Gateway

@Suite("RateMeter", .bounded)
struct RateMeterTests {
    private func meter() -> RateMeter {
        var limits = Configuration.Limits()
        (limits.messagesPerSecond, limits.burst) = (10, .seconds(1))
        return RateMeter(RateLimit(limits), now: 0)
    }

    /// Without unhandled bytes there is no wait.
    @Test("unhandled bytes wait for a message's token")
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

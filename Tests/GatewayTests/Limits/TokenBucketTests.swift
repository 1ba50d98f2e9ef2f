// Token buckets by a clock that the test moves.

import SeededGenerator
import Testing

@testable import Gateway

@Suite("TokenBucket", .bounded)
struct TokenBucketTests {
    @Test("gives its burst at once and then its rate")
    func burstThenRate() {
        var bucket = TokenBucket(rate: 10, burst: 2_000, now: 5_000)
        #expect(bucket.has(20) && !bucket.has(21))
        bucket.take(20)
        #expect(!bucket.has(1) && bucket.wait(for: 1) == 100)
        bucket.fill(at: 5_099)
        #expect(!bucket.has(1) && bucket.wait(for: 1) == 1)
        bucket.fill(at: 5_100)
        #expect(bucket.has(1) && !bucket.has(2))
    }

    @Test("holds at most its burst after any silence and at least one token")
    func capacity() {
        var bucket = TokenBucket(rate: 1 << 40, burst: 60_000, now: 0)
        bucket.take(1 << 40)
        bucket.fill(at: .max)
        #expect(bucket.has(60 << 40) && !bucket.has(60 << 40 + 1))
        var small = TokenBucket(rate: 1, burst: 100, now: 0)
        #expect(small.has(1))
        small.take(1)
        small.fill(at: 999)
        #expect(!small.has(1))
        small.fill(at: 1_000)
        #expect(small.has(1) && !small.has(2))
    }

    @Test("owes the excess and waits until it is paid")
    func debt() {
        var bucket = TokenBucket(rate: 1_000, burst: 1_000, now: 0)
        bucket.take(17_000)
        #expect(!bucket.has(0) && bucket.wait(for: 0) == 16_000)
        bucket.fill(at: 15_999)
        #expect(!bucket.has(0))
        bucket.fill(at: 16_000)
        #expect(bucket.has(0) && !bucket.has(1))
    }

    @Test("a rate of zero limits nothing")
    func off() {
        var bucket = TokenBucket(rate: 0, burst: 1_000, now: 0)
        bucket.take(.max)
        bucket.fill(at: .max)
        #expect(bucket.has(.max) && bucket.wait(for: .max) == 0)
    }

    @Test("over any time gives the rate and the burst, asked however often", arguments: 0..<8)
    func exact(_ seed: Int) {
        var generator = SeededGenerator(seed: UInt64(seed))
        let rate = Int.random(in: 1...5_000, using: &generator)
        let burst = Int.random(in: 1_000...5_000, using: &generator)
        var bucket = TokenBucket(rate: rate, burst: burst, now: 0)
        var now: UInt64 = 0
        var taken = 0
        while now < 20_000 {
            bucket.fill(at: now)
            while bucket.has(1) {
                bucket.take(1)
                taken += 1
            }
            now += UInt64.random(in: 0...30, using: &generator)
        }
        bucket.fill(at: now)
        while bucket.has(1) {
            bucket.take(1)
            taken += 1
        }
        #expect(taken == (rate * burst + rate * Int(now)) / 1_000)
    }
}

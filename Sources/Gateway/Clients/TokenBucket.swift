// A rate with a reserve: tokens drip in, each message or byte takes one, and what is not used is kept up to a limit. Whole numbers
// of thousandths, so that nothing is lost by rounding however often it is asked.

/// A token bucket; it is full at the beginning.
struct TokenBucket {
    /// Tokens a second, which are thousandths of a token a millisecond; 0 for as many as anybody likes.
    private let rate: Int
    private let capacity: Int
    private var thousandths: Int
    private var filledAt: UInt64

    /// - Parameters:
    ///   - rate: tokens a second, 0 for no limit.
    ///   - burst: milliseconds after which the bucket is full; it holds at least one token.
    init(rate: Int, burst: Int, now: UInt64) {
        self.rate = rate
        capacity = max(1_000, rate * burst)
        thousandths = capacity
        filledAt = now
    }

    /// Lets in what has come since the last time.
    /// - Parameter now: milliseconds of a clock that never goes back.
    mutating func fill(at now: UInt64) {
        guard rate > 0 else { return }
        // More time than it takes to fill it up counts for no more, and could not be multiplied.
        let needed = (capacity - thousandths + rate - 1) / rate
        thousandths = min(capacity, thousandths + rate * Int(min(now - filledAt, UInt64(needed))))
        filledAt = now
    }

    /// Whether `count` tokens are there.
    func has(_ count: Int) -> Bool { rate == 0 || thousandths >= count * 1_000 }

    /// Takes `count` tokens, and owes those that are not there.
    mutating func take(_ count: Int) {
        if rate > 0 { thousandths -= count * 1_000 }
    }

    /// Milliseconds until `count` tokens are there.
    func wait(for count: Int) -> UInt64 {
        has(count) ? 0 : UInt64((count * 1_000 - thousandths + rate - 1) / rate)
    }
}

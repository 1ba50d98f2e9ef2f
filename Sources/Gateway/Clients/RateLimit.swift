// The rate limit of every client, as the configuration says it; converted once for each worker.

import Settings

/// The rates of a connection, and the policy beyond them.
struct RateLimit {
    /// The bytes that are received at once where clients are held back, and so the most that is kept of a client: 16 KiB.
    static let receiveLimit = 16 << 10

    let messagesPerSecond: Int
    let bytesPerSecond: Int
    /// Milliseconds.
    let burst: Int
    let policy: Configuration.Limits.RatePolicy

    init(_ limits: Configuration.Limits) {
        messagesPerSecond = limits.messagesPerSecond
        bytesPerSecond = limits.bytesPerSecond
        burst = Int(limits.burst.milliseconds)
        policy = limits.ratePolicy
    }

    var isOn: Bool { messagesPerSecond > 0 || bytesPerSecond > 0 }
    /// Whether clients are read more slowly.
    var holdsBack: Bool { isOn && policy == .delay }
}

// One client's rate: two buckets of tokens.

/// The tokens that a client has left.
final class RateMeter {
    private var messages: TokenBucket
    private var bytes: TokenBucket
    private let policy: Configuration.Limits.RatePolicy

    init(_ limit: RateLimit, now: UInt64) {
        messages = TokenBucket(rate: limit.messagesPerSecond, burst: limit.burst, now: now)
        bytes = TokenBucket(rate: limit.bytesPerSecond, burst: limit.burst, now: now)
        policy = limit.policy
    }

    func fill(at now: UInt64) {
        messages.fill(at: now)
        bytes.fill(at: now)
    }

    /// Takes the tokens of a message or of a control frame; false when that closes the connection.
    func takeMessage() -> Bool { take(1, from: &messages) }

    /// Takes the tokens of received bytes; false when that closes the connection.
    func takeBytes(_ count: Int) -> Bool { take(count, from: &bytes) }

    private func take(_ count: Int, from bucket: inout TokenBucket) -> Bool {
        guard policy == .delay || bucket.has(count) else { return false }
        bucket.take(count)
        return true
    }

    /// Whether the next frame has to wait.
    var isOutOfMessages: Bool { policy == .delay && !messages.has(1) }

    /// Milliseconds that reading has to wait, when the tokens did not reach as far as `unhandled`.
    func wait(with unhandled: UnsafeMutableRawBufferPointer) -> UInt64 {
        guard policy == .delay else { return 0 }
        return max(unhandled.isEmpty ? 0 : messages.wait(for: 1), bytes.wait(for: 0))
    }
}

// A rate with a reserve: tokens drip in, each message or byte takes one, and unused tokens are kept up to a limit. Whole numbers
// of thousandths, so that rounding loses nothing, however often the bucket is filled.

/// A token bucket; it is full at the beginning.
struct TokenBucket {
    /// Tokens a second, which are thousandths of a token a millisecond; 0 for no limit.
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

    /// Adds the tokens of the time since the last call.
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

    /// Takes `count` tokens, and owes the missing ones.
    mutating func take(_ count: Int) {
        if rate > 0 { thousandths -= count * 1_000 }
    }

    /// Milliseconds until `count` tokens are there.
    func wait(for count: Int) -> UInt64 {
        has(count) ? 0 : UInt64((count * 1_000 - thousandths + rate - 1) / rate)
    }
}

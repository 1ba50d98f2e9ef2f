// One client's rate: two buckets of tokens.
//
// Allocates: once for a connection where rates are limited.
// Read next: TokenBucket.swift.

import Settings

/// What a client may still send.
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

    /// Takes the tokens of what has been received; false when that closes the connection.
    func takeBytes(_ count: Int) -> Bool { take(count, from: &bytes) }

    private func take(_ count: Int, from bucket: inout TokenBucket) -> Bool {
        guard policy == .delay || bucket.has(count) else { return false }
        bucket.take(count)
        return true
    }

    /// Whether the next frame has to wait.
    var isOutOfMessages: Bool { policy == .delay && !messages.has(1) }

    /// Milliseconds that reading has to wait, when `unhandled` is what tokens have not reached.
    func wait(with unhandled: UnsafeMutableRawBufferPointer) -> UInt64 {
        guard policy == .delay else { return 0 }
        return max(unhandled.isEmpty ? 0 : messages.wait(for: 1), bytes.wait(for: 0))
    }
}

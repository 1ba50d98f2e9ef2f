// One client's rate: two buckets of tokens, and, while the client is held back, what has been received of it and not been
// handled. Nothing more is received in that time, so that TCP slows the client down.
//
// Allocates: once for a connection where rates are limited; a copy of the rest of a receive buffer when tokens run out within it.
// Read next: ClientConnection+Rate.swift.

/// What a client may still send, and what of it has to wait.
final class RateMeter {
    private var messages: TokenBucket
    private var bytes: TokenBucket
    private let policy: Configuration.Limits.RatePolicy
    /// What waits, in memory that is changed in place as it is handled; nil while nothing is held back.
    private var held: UnsafeMutableRawBufferPointer?
    private(set) var rest = UnsafeMutableRawBufferPointer(start: nil, count: 0)

    init(_ limit: RateLimit, now: UInt64) {
        messages = TokenBucket(rate: limit.messagesPerSecond, burst: limit.burst, now: now)
        bytes = TokenBucket(rate: limit.bytesPerSecond, burst: limit.burst, now: now)
        policy = limit.policy
    }

    deinit { held?.deallocate() }

    /// Whether the client is held back.
    var holds: Bool { held != nil }

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

    /// Keeps what is unhandled: a copy, or what is left of the copy that is held already.
    func hold(_ unhandled: UnsafeMutableRawBufferPointer) {
        if held == nil {
            let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: max(1, unhandled.count), alignment: 8)
            if let start = unhandled.baseAddress {
                copy.baseAddress!.copyMemory(from: start, byteCount: unhandled.count)
            }
            held = copy
            rest = UnsafeMutableRawBufferPointer(rebasing: copy[..<unhandled.count])
        } else {
            rest = unhandled
        }
    }

    /// Keeps what has been received all the same, behind what waits.
    func holdMore(_ bytes: UnsafeMutableRawBufferPointer) {
        let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: rest.count + bytes.count, alignment: 8)
        copy.copyMemory(from: UnsafeRawBufferPointer(rest))
        UnsafeMutableRawBufferPointer(rebasing: copy[rest.count...]).copyMemory(from: UnsafeRawBufferPointer(bytes))
        held?.deallocate()
        (held, rest) = (copy, copy)
    }

    /// Everything is handled.
    func letGo() {
        held?.deallocate()
        held = nil
        rest = UnsafeMutableRawBufferPointer(start: nil, count: 0)
    }
}

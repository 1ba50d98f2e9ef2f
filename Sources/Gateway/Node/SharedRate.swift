// A rate that all threads share, in one word: the time at which the bucket will be full again (the generic cell rate algorithm,
// which ATM networks used). Nobody refills it, nobody locks it.

import Synchronization

/// At most so many events a second, and so many at once after a pause of a second.
final class SharedRate: Sendable {
    private static let second: UInt64 = 1_000_000_000
    private let interval: UInt64
    private let fullAt = Atomic<UInt64>(0)

    /// - Parameter perSecond: 1 to 1,000,000.
    init(perSecond: Int) { interval = Self.second / UInt64(perSecond) }

    /// Takes one event if the rate allows it.
    /// - Parameter now: nanoseconds of a clock that never goes back.
    func take(at now: UInt64) -> Bool {
        var full = fullAt.load(ordering: .relaxed)
        while true {
            let next = max(full, now) + interval
            guard next - now <= Self.second else { return false }
            let (exchanged, original) = fullAt.weakCompareExchange(expected: full, desired: next, ordering: .relaxed)
            if exchanged { return true }
            full = original
        }
    }
}

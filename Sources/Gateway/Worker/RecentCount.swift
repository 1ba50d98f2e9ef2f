// How often something happened within the last minute.

import Settings

/// A count that forgets what is more than a minute old, to within a second. Times are milliseconds of one clock.
struct RecentCount {
    private static let seconds = 60

    private var counts = [Int](repeating: 0, count: Self.seconds)
    /// The last second that was counted in.
    private var last: UInt64 = 0

    /// Notes that it happened once more.
    mutating func note(at now: UInt64) {
        forget(until: now / 1_000)
        counts[Int(last % UInt64(Self.seconds))] += 1
    }

    /// How often it happened within the minute before.
    mutating func count(at now: UInt64) -> Int {
        forget(until: now / 1_000)
        return counts.reduce(0, +)
    }

    private mutating func forget(until second: UInt64) {
        guard second > last else { return }
        for old in 0..<min(second - last, UInt64(Self.seconds)) {
            counts[Int((second - old) % UInt64(Self.seconds))] = 0
        }
        last = second
    }
}

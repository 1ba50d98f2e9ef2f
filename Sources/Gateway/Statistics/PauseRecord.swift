// The pauses of a worker for something that is not an event, kept for a look at the worst of them: the time that passed, and the
// worker's own work in it. The machine did other work in the difference.

import CLinux
import Settings

/// The lengths of the last pauses, in microseconds.
package struct PauseRecord: Sendable {
    /// A moment, by both clocks.
    struct Start {
        fileprivate let time = clinux_monotonic_nanoseconds()
        fileprivate let work = clinux_thread_cpu_nanoseconds()
    }

    private static let kept = 512

    /// How many there were.
    package private(set) var count: UInt64 = 0
    /// The longest of all.
    package private(set) var longest: UInt32 = 0
    private var recent: [UInt32] = []
    private var recentWork: [UInt32] = []

    /// Adds the pause that began then, on this thread, and ends now.
    mutating func add(since start: Start) {
        add(
            microseconds: (clinux_monotonic_nanoseconds() - start.time) / 1_000,
            work: (clinux_thread_cpu_nanoseconds() - start.work) / 1_000)
    }

    mutating func add(microseconds: UInt64, work: UInt64 = 0) {
        let length = UInt32(clamping: microseconds)
        if recent.count < Self.kept {
            recent.append(length)
            recentWork.append(UInt32(clamping: work))
        } else {
            recent[Int(count % UInt64(Self.kept))] = length
            recentWork[Int(count % UInt64(Self.kept))] = UInt32(clamping: work)
        }
        count += 1
        longest = max(longest, length)
    }

    /// The pause that this share of the last ones does not exceed, 0 when there was none.
    package func quantile(_ share: Double) -> UInt32 { Self.quantile(share, of: recent) }

    /// The same of the worker's own work.
    package func workQuantile(_ share: Double) -> UInt32 { Self.quantile(share, of: recentWork) }

    static func += (left: inout PauseRecord, right: PauseRecord) {
        left.count += right.count
        left.longest = max(left.longest, right.longest)
        left.recent += right.recent
        left.recentWork += right.recentWork
    }

    private static func quantile(_ share: Double, of lengths: [UInt32]) -> UInt32 {
        guard !lengths.isEmpty else { return 0 }
        let rank = Int((share * Double(lengths.count)).rounded(.up))
        return lengths.sorted()[min(max(rank, 1), lengths.count) - 1]
    }
}

// A count of the last minute.

/// A count that forgets events that are more than a minute old, to within a second. Times are milliseconds of one clock.
struct RecentCount {
    private static let seconds = 60

    private var counts = [Int](repeating: 0, count: Self.seconds)
    /// The last second that was counted in.
    private var last: UInt64 = 0

    /// Counts one more event.
    mutating func note(at now: UInt64) {
        forget(until: now / 1_000)
        counts[Int(last % UInt64(Self.seconds))] += 1
    }

    /// The number of events within the minute before.
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

// How long a worker was held up by something that is not an event, kept for a look at the worst of it.

/// The lengths of the last pauses, in microseconds.
struct PauseRecord: Sendable {
    private static let kept = 512

    /// How many there were.
    private(set) var count: UInt64 = 0
    /// The longest of all.
    private(set) var longest: UInt32 = 0
    private var recent: [UInt32] = []

    mutating func add(microseconds: UInt64) {
        let length = UInt32(clamping: microseconds)
        if recent.count < Self.kept {
            recent.append(length)
        } else {
            recent[Int(count % UInt64(Self.kept))] = length
        }
        count += 1
        longest = max(longest, length)
    }

    /// The pause that this share of the last ones does not exceed, 0 when there was none.
    func quantile(_ share: Double) -> UInt32 {
        guard !recent.isEmpty else { return 0 }
        let rank = Int((share * Double(recent.count)).rounded(.up))
        return recent.sorted()[min(max(rank, 1), recent.count) - 1]
    }

    static func += (left: inout PauseRecord, right: PauseRecord) {
        left.count += right.count
        left.longest = max(left.longest, right.longest)
        left.recent += right.recent
    }
}

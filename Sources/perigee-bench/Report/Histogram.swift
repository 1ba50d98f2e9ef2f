// Latencies, counted in buckets that are at most 1.6 % wide: exact enough for any percentile, and adding costs a few
// instructions.

/// A log-linear histogram of nanoseconds.
struct Histogram {
    /// Each power of two is cut into 64 equal buckets.
    private static let bits = 6
    private static let perPower = 1 << bits

    private var buckets = [UInt32](repeating: 0, count: (65 - bits) * perPower)
    private(set) var count = 0
    private(set) var max: UInt64 = 0

    mutating func add(_ value: UInt64) {
        buckets[Self.bucket(of: value)] &+= 1
        count += 1
        if value > max { max = value }
    }

    /// The value that the share `quantile`, from 0 to 1, of all values does not exceed; nil when there are none.
    func value(at quantile: Double) -> UInt64? {
        guard count > 0 else { return nil }
        let rank = Swift.max(1, Int((quantile * Double(count)).rounded(.up)))
        var seen = 0
        for index in buckets.indices {
            seen += Int(buckets[index])
            if seen >= rank { return min(Self.highest(in: index), max) }
        }
        return max
    }

    private static func bucket(of value: UInt64) -> Int {
        guard value >= perPower else { return Int(value) }
        let power = 63 - value.leadingZeroBitCount
        return (power - bits + 1) * perPower + Int(value >> UInt64(power - bits)) & (perPower - 1)
    }

    private static func highest(in bucket: Int) -> UInt64 {
        guard bucket >= perPower else { return UInt64(bucket) }
        let shift = UInt64(bucket / perPower - 1)
        return (UInt64(perPower + bucket % perPower) << shift) + (1 << shift) - 1
    }
}

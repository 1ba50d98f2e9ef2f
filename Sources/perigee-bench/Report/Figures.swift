// The result of one scenario: counts, rates and CPU time, and a histogram of latencies.
//
// Read next: Report.swift.

/// The result of a measurement.
struct Figures {
    /// The share of a core from which it counts as fully used.
    private static let busy = 0.95

    let scenario: String
    let setting: String
    /// The thing that is counted: message, delivery, handshake, connection.
    let unit: String
    let window: Window
    var bytesPerConnection: Double?
    /// Errors of the measurement, a sentence each.
    var losses: [String] = []

    init(scenario: String, setting: String, unit: String, window: Window, lost: Int) {
        self.scenario = scenario
        self.setting = setting
        self.unit = unit
        self.window = window
        if lost > 0 { losses.append("\(lost.grouped) connections were lost") }
    }

    /// Notes for the reader of the figures, a sentence each.
    var notes: [String] {
        isGeneratorBound
            ? losses + ["the generator was the bottleneck: the server could have done more than this rate"] : losses
    }

    /// Units per second; nil where nothing is counted.
    var rate: Double? { window.count > 0 ? Double(window.count) / window.seconds : nil }

    /// Microseconds of the server's CPU time for each unit.
    var serverMicroseconds: Double? {
        window.count > 0 ? window.serverCPU.map { $0 * 1e6 / Double(window.count) } : nil
    }

    /// The cores that the server used: 1 is one core all the time.
    var serverLoad: Double? { window.serverCPU.map { $0 / window.seconds } }

    /// The share of its core that the generator used.
    var generatorLoad: Double { window.generatorCPU / window.seconds }

    /// Whether the generator used its whole core and the server, as far as is known, did not.
    var isGeneratorBound: Bool { generatorLoad >= Self.busy && (serverLoad ?? 0) < Self.busy }
}

/// A log-linear histogram of nanoseconds. Its buckets are at most 1.6 % wide, exact enough for any percentile; adding a value
/// costs a few instructions.
struct Histogram {
    /// Each power of two has 64 equal buckets.
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

    /// The quantile, from 0 to 1, of all values; nil when there are none.
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

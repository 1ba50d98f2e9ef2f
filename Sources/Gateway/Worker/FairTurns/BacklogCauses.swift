// The places in scripts whose events used the turns' slices up, for the log.

/// CPU time by place, from one report to the next.
struct BacklogCauses {
    /// Milliseconds between two reports.
    static let interval: UInt64 = 60_000
    /// A backlog is reported when it is so old, in milliseconds.
    static let age: UInt64 = 100
    private static let limit = 100

    private var times: [String: UInt64] = [:]
    private var began: UInt64 = 0
    private var lastReport: UInt64?

    /// Notes that events at `place` have used nanoseconds of CPU.
    mutating func note(_ place: String, _ nanoseconds: UInt64, at now: UInt64) {
        if now >= began + Self.interval { (times, began) = ([:], now) }
        guard times[place] != nil || times.count < Self.limit else { return }
        times[place, default: 0] += nanoseconds
    }

    /// Whether a backlog of this age, in milliseconds, is to be reported now.
    func isDue(age: UInt64, at now: UInt64) -> Bool {
        guard age >= Self.age, !times.isEmpty else { return false }
        return lastReport.map { now >= $0 + Self.interval } ?? true
    }

    /// The place that used most and its milliseconds; begins anew.
    mutating func report(at now: UInt64) -> (place: String, milliseconds: UInt64)? {
        defer { (times, began, lastReport) = ([:], now, now) }
        // Of equals the first by name, so that the report is the same for the same history.
        let most = times.max { ($0.value, $1.key) < ($1.value, $0.key) }
        return most.map { ($0.key, $0.value / 1_000_000) }
    }
}

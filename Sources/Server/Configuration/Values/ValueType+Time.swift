// Durations: "100ms", "10s", "5m", "1h". A number without a unit is refused, because nobody remembers which it would
// be.

extension ValueType where Value == Duration {
    /// A whole number of a unit.
    static func time(_ range: ClosedRange<Duration>) -> ValueType {
        scalar(allowed(range), parse: { Duration($0, in: range) }, format: format)
    }

    /// A whole number of a unit, or `0` for never.
    static func timeOrNever(_ range: ClosedRange<Duration>) -> ValueType {
        scalar(
            "0, or " + allowed(range), parse: { $0 == "0" ? .zero : Duration($0, in: range) },
            format: { $0 == .zero ? "0" : format($0) })
    }

    private static func allowed(_ range: ClosedRange<Duration>) -> String {
        "a time from \(format(range.lowerBound)) to \(format(range.upperBound)), in ms, s, m or h"
    }

    @Sendable private static func format(_ time: Duration) -> String {
        DecimalText.format(time.wholeMilliseconds, units: Duration.units, separator: "")
    }
}

extension Duration {
    fileprivate static let units: KeyValuePairs = ["h": 3_600_000, "m": 60_000, "s": 1_000, "ms": 1]

    /// The time that a text such as `30s` stands for; nil when it is none of the range.
    init?(_ text: String, in range: ClosedRange<Duration>) {
        guard let time = DecimalText.amount(text, units: Self.units).map({ Duration.milliseconds($0) }),
            range.contains(time)
        else { return nil }
        self = time
    }

    /// The duration in milliseconds, what is smaller cut off.
    var wholeMilliseconds: Int {
        Int(components.seconds) * 1_000 + Int(components.attoseconds / 1_000_000_000_000_000)
    }
}

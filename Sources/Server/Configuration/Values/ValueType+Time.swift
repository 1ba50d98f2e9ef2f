// Durations: "100ms", "10s", "5m", "1h". A number without a unit is refused, because nobody remembers which it would
// be.

extension ValueType where Value == Duration {
    /// A whole number of a unit.
    static func time(_ range: ClosedRange<Duration>) -> ValueType {
        scalar(allowed(range), parse: { parse($0, in: range) }, format: format)
    }

    /// A whole number of a unit, or `0` for never.
    static func timeOrNever(_ range: ClosedRange<Duration>) -> ValueType {
        scalar(
            "0, or " + allowed(range), parse: { $0 == "0" ? .zero : parse($0, in: range) },
            format: { $0 == .zero ? "0" : format($0) })
    }

    private static var units: KeyValuePairs<String, Int> { ["h": 3_600_000, "m": 60_000, "s": 1_000, "ms": 1] }

    private static func allowed(_ range: ClosedRange<Duration>) -> String {
        "a time from \(format(range.lowerBound)) to \(format(range.upperBound)), in ms, s, m or h"
    }

    private static func parse(_ text: String, in range: ClosedRange<Duration>) -> Duration? {
        DecimalText.amount(text, units: units).map { .milliseconds($0) }.flatMap { range.contains($0) ? $0 : nil }
    }

    @Sendable private static func format(_ time: Duration) -> String {
        DecimalText.format(time.wholeMilliseconds, units: units, separator: "")
    }
}

extension Duration {
    /// The duration in milliseconds, what is smaller cut off.
    var wholeMilliseconds: Int {
        Int(components.seconds) * 1_000 + Int(components.attoseconds / 1_000_000_000_000_000)
    }
}

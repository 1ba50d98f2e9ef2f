// Durations: "100ms", "10s", "5m", "1h". A number without a unit is refused, because nobody remembers which it would
// be.

extension ValueType where Value == Duration {
    /// A whole number of a unit.
    static func time(_ range: ClosedRange<Duration>) -> ValueType {
        let units: KeyValuePairs = ["h": 3_600_000, "m": 60_000, "s": 1_000, "ms": 1]
        let format: @Sendable (Duration) -> String = {
            DecimalText.format($0.wholeMilliseconds, units: units, separator: "")
        }
        return scalar(
            "a time from \(format(range.lowerBound)) to \(format(range.upperBound)), in ms, s, m or h",
            parse: { text in
                DecimalText.amount(text, units: units).map { .milliseconds($0) }
                    .flatMap { range.contains($0) ? $0 : nil }
            },
            format: format)
    }
}

extension Duration {
    /// The duration in milliseconds, what is smaller cut off.
    var wholeMilliseconds: Int {
        Int(components.seconds) * 1_000 + Int(components.attoseconds / 1_000_000_000_000_000)
    }
}

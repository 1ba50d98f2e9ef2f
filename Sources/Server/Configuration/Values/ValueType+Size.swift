// Sizes in bytes: "16 MiB", "64KiB", "1048576".

extension ValueType where Value == Int {
    /// Bytes, with a binary unit or none.
    static func size(_ range: ClosedRange<Int>) -> ValueType {
        let units: KeyValuePairs = ["GiB": 1 << 30, "MiB": 1 << 20, "KiB": 1 << 10, "B": 1]
        let format: @Sendable (Int) -> String = { DecimalText.format($0, units: units, separator: " ") }
        return scalar(
            "a size from \(format(range.lowerBound)) to \(format(range.upperBound)), in B, KiB, MiB or GiB",
            parse: { text in
                let bytes = DecimalText.number(text) ?? DecimalText.amount(text, units: units)
                return bytes.flatMap { range.contains($0) ? $0 : nil }
            },
            format: format)
    }
}

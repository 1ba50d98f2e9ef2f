// The types whose value is one text: truth values, numbers, sizes, times, choices, addresses, paths.

extension ValueType where Value == Bool {
    /// `true` or `false`, in small letters.
    static var flag: ValueType {
        scalar("true or false", parse: Bool.init, format: \.description)
    }
}

extension ValueType where Value == Int {
    /// A whole number in decimal digits.
    static func number(_ range: ClosedRange<Int>) -> ValueType {
        scalar(
            "a whole number from \(range.lowerBound) to \(range.upperBound)",
            parse: { DecimalText.number($0).flatMap { range.contains($0) ? $0 : nil } },
            format: \.description)
    }
}

extension ValueType where Value: RawRepresentable<String> & CaseIterable {
    /// One of the cases.
    static var choice: ValueType { choice(Value.allCases.map(\.self)) }

    /// One of these cases.
    static func choice(_ cases: [Value]) -> ValueType {
        scalar(
            cases.map(\.rawValue).joined(separator: ", "),
            parse: { text in cases.first { $0.rawValue == text } },
            format: \.rawValue)
    }
}

extension ValueType where Value == ListenAddress {
    /// `HOST:PORT` or `unix:PATH`.
    static var address: ValueType {
        scalar(
            "an address such as 127.0.0.1:8080, [::1]:8080 or unix:/run/a.sock; port 0 picks a free one",
            parse: { ListenAddress($0) }, format: \.description)
    }
}

extension ValueType where Value == String {
    /// The path of a file, or the word for none, which is the empty path.
    static var optionalFile: ValueType {
        scalar(
            "the path of a file, or none",
            parse: { $0.isEmpty || $0.utf8.contains(0) ? nil : $0 == "none" ? "" : $0 },
            format: { $0.isEmpty ? "none" : $0 })
    }

    /// The path of a folder.
    static var folder: ValueType {
        scalar(
            "the path of a folder",
            parse: { $0.isEmpty || $0.utf8.contains(0) ? nil : $0 }, format: \.self)
    }
}

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

    /// The time that a text such as `30s`, `100ms`, `5m` or `1h` stands for; nil when it is none of the range.
    public init?(_ text: String, in range: ClosedRange<Duration>) {
        guard let time = DecimalText.amount(text, units: Self.units).map({ Duration.milliseconds($0) }),
            range.contains(time)
        else { return nil }
        self = time
    }

    /// The duration in milliseconds, rounded down.
    fileprivate var wholeMilliseconds: Int {
        Int(components.seconds) * 1_000 + Int(components.attoseconds / 1_000_000_000_000_000)
    }
}

/// Reads and writes whole numbers and whole amounts of a unit.
enum DecimalText {
    /// The number that decimal digits stand for; nil for a sign, anything else, or more than an `Int` holds.
    static func number(_ text: some StringProtocol) -> Int? {
        guard !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        return Int(text)
    }

    /// The amount that `text` stands for, in the smallest unit; nil for an unknown unit, a fraction, or more than an
    /// `Int` holds.
    static func amount(_ text: String, units: KeyValuePairs<String, Int>) -> Int? {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        var unit = text.dropFirst(digits.count)
        if unit.first == " " { unit = unit.dropFirst() }
        guard let count = number(digits),
            let scale = units.first(where: { $0.key.lowercased() == unit.lowercased() })?.value
        else { return nil }
        let (amount, overflows) = count.multipliedReportingOverflow(by: scale)
        return overflows ? nil : amount
    }

    /// The amount with the largest unit that divides it; `units` ends with the smallest, whose size is 1.
    static func format(_ amount: Int, units: KeyValuePairs<String, Int>, separator: String) -> String {
        let unit = units.first { amount != 0 && amount.isMultiple(of: $0.value) } ?? units[units.count - 1]
        return "\(amount / unit.value)\(separator)\(unit.key)"
    }
}

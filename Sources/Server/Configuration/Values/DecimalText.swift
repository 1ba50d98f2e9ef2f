// Numbers with units, as operators write them: digits, at most one space, a unit.

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

// The types whose value is one text: truth values, whole numbers, choices, addresses, names.

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

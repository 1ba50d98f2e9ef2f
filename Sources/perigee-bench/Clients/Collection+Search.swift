// Looking for text in bytes.

extension Collection<UInt8> {
    /// The first place where `part` stands.
    func range(of part: some StringProtocol) -> Range<Index>? {
        let part = part.utf8
        var start = startIndex
        while start < endIndex {
            if self[start...].starts(with: part) { return start..<index(start, offsetBy: part.count) }
            formIndex(after: &start)
        }
        return nil
    }

    /// The whole number that follows `label`.
    func number(after label: String) -> Int? {
        guard let range = range(of: label) else { return nil }
        let digits = self[range.upperBound...].prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        return Int(String(decoding: Array(digits), as: UTF8.self))
    }

    /// With small letters in the place of ASCII's capitals.
    var lowercased: [UInt8] {
        map { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) ? $0 | 0x20 : $0 }
    }
}

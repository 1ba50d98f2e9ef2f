// The query of a URL read as a form: `channel=news&channel=sport`.

/// The decoded names and values of an `application/x-www-form-urlencoded` text, in order.
///
/// It is lenient, because people type queries by hand: a broken escape stays as it is, bytes that are not UTF-8 become
/// U+FFFD, a name without `=` has an empty value, and empty parts are skipped.
public struct QueryString: Sendable {
    /// The pairs in the order of the text; a name may appear more than once.
    public let pairs: [(name: String, value: String)]

    /// Whether pairs are missing because there were more than `maxPairs`.
    public let isTruncated: Bool

    /// Whether all names and values are UTF-8 as they were sent. A caller that identifies something by them must
    /// refuse a query that is not, because two different names may become the same once they are repaired.
    public let isUTF8: Bool

    /// Reads at most `maxPairs` pairs of a query without its `?`.
    public init(_ text: some StringProtocol, maxPairs: Int = 100) {
        var pairs: [(name: String, value: String)] = []
        var isTruncated = false
        var isUTF8 = true
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let part = rest.prefix { $0 != ASCII.ampersand }
            rest = rest[part.endIndex...].dropFirst()
            if part.isEmpty { continue }
            guard pairs.count < maxPairs else {
                isTruncated = true
                break
            }
            let name = part.prefix { $0 != ASCII.equals }
            let value = part[name.endIndex...].dropFirst()
            pairs.append((Percent.decodeLeniently(name, &isUTF8), Percent.decodeLeniently(value, &isUTF8)))
        }
        self.pairs = pairs
        self.isTruncated = isTruncated
        self.isUTF8 = isUTF8
    }

    /// The value of the first pair with this name; names are case-sensitive.
    public func first(_ name: String) -> String? {
        pairs.first { $0.name == name }?.value
    }

    /// The values of all pairs with this name, in order.
    public func all(_ name: String) -> [String] {
        pairs.filter { $0.name == name }.map(\.value)
    }
}

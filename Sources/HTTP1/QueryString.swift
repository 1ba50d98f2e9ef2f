// The query of a URL read as a form: `channel=news&channel=sport`.

/// The names and values of an `application/x-www-form-urlencoded` text, decoded, in their order.
///
/// Lenient, since people type it: a broken escape stays as it is, what is not UTF-8 becomes U+FFFD, a name without `=`
/// has an empty value, and empty parts are skipped.
public struct QueryString: Sendable {
    /// The pairs in the order they were sent; a name may come more than once.
    public let pairs: [(name: String, value: String)]

    /// Whether pairs were left out because there were more than `maxPairs`.
    public let isTruncated: Bool

    /// Whether all names and values are UTF-8 as they were sent. Where they name something, what is not must be refused: two
    /// different names that were repaired may be one.
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

    /// The values of all pairs with this name, in their order.
    public func all(_ name: String) -> [String] {
        pairs.filter { $0.name == name }.map(\.value)
    }
}

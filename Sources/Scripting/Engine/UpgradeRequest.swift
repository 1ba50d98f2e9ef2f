// What onUpgrade is asked about.

/// The head of an upgrade request, as the script's `request` shows it.
public struct UpgradeRequest: Sendable {
    /// The path without the query, decoded as the server decodes it.
    public var path: String
    /// The client's address.
    public var ip: String
    /// The decoded query, in order.
    public var query: [(name: String, value: String)]
    /// The fields, in order, names in lower case. `request.cookies` is made of the `cookie` fields.
    public var headers: [(name: String, value: String)]
    /// The subprotocols that the client offers, in order.
    public var subprotocols: [String]
    /// The subject of the client's certificate as RFC 2253 text; nil without one.
    public var certificate: String?

    /// Makes a request.
    public init(
        path: String, ip: String, query: [(name: String, value: String)] = [],
        headers: [(name: String, value: String)] = [], subprotocols: [String] = [], certificate: String? = nil
    ) {
        self.path = path
        self.ip = ip
        self.query = query
        self.headers = headers
        self.subprotocols = subprotocols
        self.certificate = certificate
    }

    /// Names and values of all cookies, the first of each name (RFC 6265, 4.2). Names are compared, and pairs are cut, by
    /// bytes: a separator with a combining mark behind it is a separator.
    var cookies: [(name: String, value: String)] {
        var seen: Set<[UInt8]> = []
        let pairs = headers.filter { $0.name == "cookie" }.flatMap { $0.value.utf8.split(separator: UInt8(ascii: ";")) }
        return pairs.compactMap { pair in
            guard let equals = pair.firstIndex(of: UInt8(ascii: "=")) else { return nil }
            let name = Self.trimmed(pair[..<equals])
            guard !name.isEmpty, seen.insert(Array(name)).inserted else { return nil }
            let value = Self.trimmed(pair[pair.index(after: equals)...])
            return (String(Substring(name)), String(Substring(value)))
        }
    }

    private static func trimmed(_ text: Substring.UTF8View) -> Substring.UTF8View {
        let isSpace: (UInt8) -> Bool = { $0 == 0x20 || $0 == 0x09 }
        var text = text.drop(while: isSpace)
        while let last = text.last, isSpace(last) { text.removeLast() }
        return text
    }
}

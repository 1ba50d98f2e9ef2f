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

    /// Names and values of all cookies, the first of each name (RFC 6265, 4.2).
    var cookies: [(name: String, value: String)] {
        var seen: Set<String> = []
        return headers.filter { $0.name == "cookie" }.flatMap { $0.value.split(separator: ";") }.compactMap { pair in
            guard let equals = pair.firstIndex(of: "=") else { return nil }
            let name = Self.trimmed(pair[..<equals])
            guard !name.isEmpty, seen.insert(name).inserted else { return nil }
            return (name, Self.trimmed(pair[pair.index(after: equals)...]))
        }
    }

    private static func trimmed(_ text: Substring) -> String {
        let isSpace: (Character) -> Bool = { $0 == " " || $0 == "\t" }
        let head = text.drop(while: isSpace)
        return String(head.prefix(head.count - head.reversed().prefix(while: isSpace).count))
    }
}

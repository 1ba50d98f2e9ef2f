// The request that onUpgrade is asked about, and its decision.

/// The head of an upgrade request, as the script's `request` shows it.
public struct UpgradeRequest: Sendable {
    /// The decoded path without the query.
    public var path: String
    /// The client's address.
    public var ip: String
    /// The decoded query, in order.
    public var query: [(name: String, value: String)]
    /// The fields, in order, names in lower case; values need not be UTF-8. `request.cookies` is made of the `cookie`
    /// fields.
    public var headers: [(name: String, value: [UInt8])]
    /// The subprotocols that the client offers, in order.
    public var subprotocols: [String]
    /// The subject of the client's certificate as RFC 2253 text; nil without one.
    public var certificate: String?

    /// Makes a request.
    public init(
        path: String, ip: String, query: [(name: String, value: String)] = [],
        headers: [(name: String, value: [UInt8])] = [], subprotocols: [String] = [], certificate: String? = nil
    ) {
        self.path = path
        self.ip = ip
        self.query = query
        self.headers = headers
        self.subprotocols = subprotocols
        self.certificate = certificate
    }

    /// Appends the strings of the request in the order that the bridge expects: see BridgeRequest.
    func fill(_ strings: consuming ScriptStrings, _ cookies: [(name: [UInt8], value: [UInt8])]) {
        strings.append(path)
        strings.append(ip)
        for pair in query { strings.append(name: pair.name, value: pair.value) }
        for field in headers { strings.append(name: field.name, value: field.value) }
        for cookie in cookies {
            strings.append(cookie.name)
            strings.append(cookie.value)
        }
        for subprotocol in subprotocols { strings.append(subprotocol) }
        if let certificate { strings.append(certificate) }
    }

    /// Names and values of all cookies, the first of each name (RFC 6265, 4.2). Names are compared, and pairs are cut,
    /// by bytes, which need not be UTF-8.
    var cookies: [(name: [UInt8], value: [UInt8])] {
        var seen: Set<[UInt8]> = []
        let pairs = headers.filter { $0.name == "cookie" }.flatMap { $0.value.split(separator: UInt8(ascii: ";")) }
        return pairs.compactMap { pair in
            guard let equals = pair.firstIndex(of: UInt8(ascii: "=")) else { return nil }
            let name = Array(Self.trimmed(pair[..<equals]))
            guard !name.isEmpty, seen.insert(name).inserted else { return nil }
            return (name, Array(Self.trimmed(pair[(equals + 1)...])))
        }
    }

    private static func trimmed(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        let isSpace: (UInt8) -> Bool = { $0 == 0x20 || $0 == 0x09 }
        var bytes = bytes.drop(while: isSpace)
        while let last = bytes.last, isSpace(last) { bytes.removeLast() }
        return bytes
    }
}

/// Whether a connection may come into being.
public enum UpgradeOutcome: Sendable {
    /// Answer 101, with the subprotocol that the script chose among those offered; nil: the server chooses.
    case accept(subprotocol: String?)
    /// Answer with this status, from 300 to 599, and this body.
    case refuse(status: Int, body: String)
    /// The handler waits; ``ScriptEngine/resume(_:with:)`` tells what it decides.
    case waiting(ScriptTask)
    /// The handler raised; log it and refuse.
    case failed(ScriptError)
}

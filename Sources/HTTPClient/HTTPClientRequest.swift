// A request to a server. It is checked while it is put together, so every `HTTPClientRequest` can be sent. At the end,
// the request that follows from a redirect (RFC 9110, section 15.4).

/// One request.
public struct HTTPClientRequest {
    /// The methods of RFC 9110 and RFC 5789.
    public enum Method: String, Sendable, CaseIterable {
        case get = "GET"
        case head = "HEAD"
        case post = "POST"
        case put = "PUT"
        case patch = "PATCH"
        case delete = "DELETE"
        case options = "OPTIONS"
    }

    /// Fields that only the client sets, because they frame the message or route it.
    private static let reserved: Set<String> = [
        "connection", "content-length", "expect", "keep-alive", "proxy-authorization", "proxy-connection", "te",
        "trailer",
        "transfer-encoding", "upgrade",
    ]

    public internal(set) var method: Method
    var url: RequestURL
    /// The names as they were given, and the values.
    private(set) var fields: [(name: String, value: String)] = []
    public internal(set) var body: [UInt8]?
    /// The time for the whole request in milliseconds; nil for the client's setting.
    public var timeout: UInt64?
    /// The largest response body in bytes; nil for the client's setting.
    public var responseBody: Int?
    /// How many redirects are followed; with 0 a redirect is a response like any other.
    public var redirects = 0

    /// - Parameter url: an absolute http or https URL without credentials.
    public init(_ method: Method, _ url: String) throws(HTTPRequestMistake) {
        self.method = method
        self.url = try RequestURL(url)
    }

    /// Adds a name and a value, percent-encoded, to the query of the URL.
    public mutating func addQuery(_ name: String, _ value: String) throws(HTTPRequestMistake) {
        try addQuery([(name, value)])
    }

    /// Adds names and values, percent-encoded, to the query of the URL, in one go: each call copies the URL.
    public mutating func addQuery(_ pairs: [(name: String, value: String)]) throws(HTTPRequestMistake) {
        if !pairs.isEmpty { url = try url.addingQuery(pairs) }
    }

    /// Adds a header field.
    public mutating func addField(_ name: String, _ value: String) throws(HTTPRequestMistake) {
        guard !name.isEmpty, name.utf8.allSatisfy(Self.isTokenByte) else {
            throw HTTPRequestMistake("'\(Self.printable(name))' is not the name of a header field")
        }
        guard !Self.reserved.contains(name.lowercased()) else {
            throw HTTPRequestMistake("the header field '\(name)' is the client's own to set")
        }
        guard value.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F || $0 == 0x09 }) else {
            throw HTTPRequestMistake("the value of the header field '\(name)' has a control character")
        }
        fields.append((name, value))
    }

    /// Gives the request a body.
    public mutating func setBody(_ bytes: [UInt8]) throws(HTTPRequestMistake) {
        guard method != .head else { throw HTTPRequestMistake("a HEAD request has no body") }
        body = bytes
    }

    /// Whether there is a header field of this name (in lower case).
    public func hasField(_ name: String) -> Bool { fields.contains { $0.name.lowercased() == name } }

    /// Removes the fields for whose names, in lower case, `isKept` returns false.
    mutating func keepFields(where isKept: (String) -> Bool) {
        fields.removeAll { !isKept($0.name.lowercased()) }
    }

    /// RFC 9110, section 5.6.2.
    private static func isTokenByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
    }

    private static func printable(_ text: String) -> String {
        String(text.unicodeScalars.prefix(64).map { $0.value < 0x20 || $0.value == 0x7F ? "?" : Character($0) })
    }
}

extension HTTPClientRequest {
    /// Fields that are also sent to another origin: they describe the request and hold nothing confidential between the
    /// script and the first server.
    private static let impersonal: Set<String> = ["accept", "accept-language", "content-type"]

    /// Whether a response with this status sends the request elsewhere.
    static func isRedirect(_ status: Int) -> Bool { [301, 302, 303, 307, 308].contains(status) }

    /// The request that the response's Location asks for; nil if it has no Location.
    func redirected(by response: HTTPClientResponse) throws(HTTPClientError) -> HTTPClientRequest? {
        guard let location = response.fields.first(where: { $0.name == "location" })?.text else { return nil }
        guard redirects > 0 else { throw HTTPClientError(.tooManyRedirects, location) }
        let target: RequestURL
        do {
            target = try url.following(location)
        } catch {
            throw HTTPClientError(.redirectRefused, error.description)
        }
        guard target.isSecure || !url.isSecure else {
            throw HTTPClientError(.redirectRefused, "from https to \(target.text)")
        }
        var next = self
        next.url = target
        next.redirects -= 1
        if !target.hasOrigin(of: url) { next.keepFields { Self.impersonal.contains($0) } }
        if response.status == 303 ? method != .head : method == .post && response.status < 303 { next.becomeGet() }
        return next
    }

    private mutating func becomeGet() {
        method = .get
        body = nil
        keepFields { !$0.hasPrefix("content-") }
    }
}

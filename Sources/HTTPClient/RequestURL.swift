// A URL that is parsed once, by the library that will use it, so the checked URL and the requested URL cannot differ.

import CCurl
import EventLoop

/// An absolute http or https URL.
final class RequestURL {
    /// libcurl's handle; a transfer that uses it must not outlive this object.
    let handle: OpaquePointer
    private(set) var isSecure = false

    init(_ text: String) throws(HTTPRequestMistake) {
        guard !text.utf8.contains(0) else { throw HTTPRequestMistake("the URL has a zero byte") }
        handle = curl_url()!
        try parse(text)
    }

    private init(copying other: RequestURL) {
        handle = curl_url_dup(other.handle)!
        isSecure = other.isSecure
    }

    deinit { curl_url_cleanup(handle) }

    private func parse(_ text: String) throws(HTTPRequestMistake) {
        let flags = UInt32(CURLU_DISALLOW_USER) | UInt32(CURLU_NON_SUPPORT_SCHEME) | UInt32(CURLU_URLENCODE)
        switch curl_url_set(handle, CURLUPART_URL, text, flags) {
        case CURLUE_OK: break
        case CURLUE_USER_NOT_ALLOWED:
            throw HTTPRequestMistake("the URL has a user name; send credentials in a header field")
        case let code:
            throw HTTPRequestMistake("not an absolute URL: \(String(cString: curl_url_strerror(code)))")
        }
        let scheme = part(CURLUPART_SCHEME)
        guard scheme == "http" || scheme == "https" else {
            throw HTTPRequestMistake("the URL's scheme is '\(scheme)'; only http and https are served")
        }
        // libcurl decodes %XX in a host. A '%' that is left would name another host when the URL is read again, and no
        // name has a control character.
        guard part(CURLUPART_HOST).utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7F && $0 != UInt8(ascii: "%") }) else {
            throw HTTPRequestMistake("the URL's host has a '%' or a control character")
        }
        isSecure = scheme == "https"
    }

    /// The URL of a Location field, which may be relative to this one.
    func following(_ location: String) throws(HTTPRequestMistake) -> RequestURL {
        let next = RequestURL(copying: self)
        try next.parse(location)
        return next
    }

    /// The URL with more names and values in its query.
    func addingQuery(_ pairs: [(name: String, value: String)]) throws(HTTPRequestMistake) -> RequestURL {
        let longer = RequestURL(copying: self)
        let query = pairs.map { "\(Self.encode($0.name))=\(Self.encode($0.value))" }.joined(separator: "&")
        guard curl_url_set(longer.handle, CURLUPART_QUERY, query, UInt32(CURLU_APPENDQUERY)) == CURLUE_OK else {
            throw HTTPRequestMistake("the query is too long")
        }
        return longer
    }

    /// Whether scheme, host and port are the same.
    func hasOrigin(of other: RequestURL) -> Bool {
        [CURLUPART_SCHEME, CURLUPART_HOST, CURLUPART_PORT].allSatisfy { part in
            self.part(part).lowercased() == other.part(part).lowercased()
        }
    }

    var text: String { part(CURLUPART_URL) }

    /// The host in libcurl's form: in ASCII if possible, an IPv6 address in brackets.
    var host: String {
        let ascii = part(CURLUPART_HOST, UInt32(CURLU_PUNYCODE))
        return ascii.isEmpty ? part(CURLUPART_HOST) : ascii
    }

    /// The port; the scheme's default if the URL has none.
    var port: String { part(CURLUPART_PORT) }

    /// The host if it is a name that must be looked up; nil for an address, and for `localhost`, which libcurl knows.
    var nameToLookUp: String? {
        let host = host.lowercased()
        let isAddress = host.hasPrefix("[") || SocketAddress(host: host, port: 0) != nil
        return isAddress || host.isEmpty || host.hasSuffix(".localhost") ? nil : host
    }

    private func part(_ part: CURLUPart, _ flags: UInt32 = 0) -> String {
        var text: UnsafeMutablePointer<CChar>?
        let flags = flags | UInt32(CURLU_DEFAULT_PORT)
        let result = curl_url_get(handle, part, &text, flags)
        // libcurl 7.88 leaves a text also where it fails, for a name that it cannot write in ASCII.
        defer { curl_free(text) }
        guard result == CURLUE_OK, let text else { return "" }
        return String(cString: text)
    }

    /// Encodes everything but the unreserved characters as %XX (RFC 3986, section 2.3).
    private static func encode(_ text: String) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        var encoded: [UInt8] = []
        encoded.reserveCapacity(text.utf8.count)
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                encoded.append(byte)
            default:
                encoded += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: encoded, as: UTF8.self)
    }
}

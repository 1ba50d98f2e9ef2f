// The web origin that a browser sends with a handshake: scheme, host and port of the page that opens the connection.

import EventLoop

/// A web origin (RFC 6454): `https://example.com:8443`.
public struct Origin: Hashable, Sendable {
    /// The scheme in lower case.
    let scheme: String
    /// The host in lower case; an IPv6 address with its brackets.
    let host: String
    /// The port, or the scheme's default where none is written; nil for a scheme without a default.
    let port: UInt16?

    /// Parses `SCHEME://HOST[:PORT]` as a browser writes it; nil for anything else.
    public init?(_ text: String) {
        guard text.utf8.count <= 1024, let (scheme, authority) = Self.split(text),
            let (host, port) = Self.hostAndPort(authority)
        else { return nil }
        self.scheme = scheme
        self.host = host
        self.port = port ?? Self.defaultPort(of: scheme)
    }

    /// Whether the Host of a request is the host and port of the page. The schemes cannot be compared, because TLS may end at a
    /// proxy before us; a Host without a port means the default port of the origin's scheme.
    func isSame(asHost host: String) -> Bool {
        guard let (name, port) = Self.hostAndPort(host[...]) else { return false }
        return name == self.host && (port ?? Self.defaultPort(of: scheme)) == self.port
    }

    /// The scheme in lower case, and the part behind `://`.
    static func split(_ text: String) -> (scheme: String, authority: Substring)? {
        guard let colon = text.utf8.firstIndex(of: UInt8(ascii: ":")), text[colon...].hasPrefix("://") else {
            return nil
        }
        let scheme = text[..<colon]
        guard let first = scheme.utf8.first, isLetter(first), scheme.utf8.allSatisfy(isSchemeByte) else { return nil }
        return (scheme.lowercased(), text[text.utf8.index(colon, offsetBy: 3)...])
    }

    /// The host in lower case, and the port if one is written.
    static func hostAndPort(_ text: Substring) -> (host: String, port: UInt16?)? {
        guard let host = hostPart(text) else { return nil }
        let rest = text[host.endIndex...]
        if rest.isEmpty { return (host.lowercased(), nil) }
        guard rest.utf8.first == UInt8(ascii: ":"), let port = NumericAddress.port(rest.dropFirst()) else { return nil }
        return (host.lowercased(), port)
    }

    private static func hostPart(_ text: Substring) -> Substring? {
        let utf8 = text.utf8
        if utf8.first == UInt8(ascii: "[") {
            guard let end = utf8.firstIndex(of: UInt8(ascii: "]")) else { return nil }
            let literal = text[utf8.index(after: utf8.startIndex)..<end]
            guard let address = NumericAddress.parse(literal, port: 0), !address.isIPv4 else { return nil }
            return text[...end]
        }
        let host = text[..<(utf8.firstIndex(of: UInt8(ascii: ":")) ?? text.endIndex)]
        return host.isEmpty || !host.utf8.allSatisfy(isHostByte) ? nil : host
    }

    private static func defaultPort(of scheme: String) -> UInt16? {
        switch scheme {
        case "http", "ws": 80
        case "https", "wss": 443
        default: nil
        }
    }

    private static func isLetter(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

    private static func isSchemeByte(_ byte: UInt8) -> Bool {
        isLetter(byte) || isDigit(byte) || "+-.".utf8.contains(byte)
    }

    /// Browsers send host names in ASCII: letters, digits, and the punctuation of real names.
    private static func isHostByte(_ byte: UInt8) -> Bool {
        isLetter(byte) || isDigit(byte) || "-._~".utf8.contains(byte)
    }
}

extension Origin: CustomStringConvertible {
    /// `https://example.com`; with a port only where it is not the scheme's default.
    public var description: String {
        let port = port == Self.defaultPort(of: scheme) ? "" : port.map { ":\($0)" } ?? ""
        return "\(scheme)://\(host)\(port)"
    }
}

// Addresses, ports and numbers in text from outside, read more narrowly than the C library does: no names, no zones, no signs.

import EventLoop

/// Reads numeric addresses and ports.
enum NumericAddress {
    /// An IPv4 address in four decimal parts or an IPv6 address, without brackets; nil for anything else.
    static func parse(_ text: some StringProtocol, port: UInt16) -> SocketAddress? {
        guard (2...45).contains(text.utf8.count), text.utf8.allSatisfy(isAddressByte) else { return nil }
        return SocketAddress(host: String(text), port: port)
    }

    /// A port, 0 to 65535, in decimal digits without a leading zero.
    static func port(_ text: some StringProtocol) -> UInt16? {
        decimal(text, digits: 5).flatMap { UInt16(exactly: $0) }
    }

    /// A number of at most `digits` decimal digits, without a leading zero.
    static func decimal(_ text: some StringProtocol, digits: Int) -> Int? {
        guard (1...digits).contains(text.utf8.count),
            text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
            text.utf8.count == 1 || text.utf8.first != UInt8(ascii: "0")
        else { return nil }
        return Int(text)
    }

    /// An address as proxies write it: alone or with a port. With a port, an IPv6 address needs brackets; they are also allowed
    /// without one. The port is 0 where there is none or where it is a word (RFC 7239, 6.3).
    static func endpoint(_ text: some StringProtocol, wordPorts: Bool) -> SocketAddress? {
        if let address = parse(text, port: 0) { return address }
        let host: String
        let rest: String
        if text.hasPrefix("[") {
            guard let end = text.firstIndex(of: "]") else { return nil }
            host = String(text[text.index(after: text.startIndex)..<end])
            rest = String(text[text.index(after: end)...])
            guard host.contains(":") else { return nil }
        } else {
            guard let colon = text.firstIndex(of: ":") else { return nil }
            host = String(text[..<colon])
            rest = String(text[colon...])
        }
        if rest.isEmpty { return parse(host, port: 0) }
        guard rest.hasPrefix(":") else { return nil }
        let digits = rest.dropFirst()
        if let port = port(digits) { return parse(host, port: port) }
        return wordPorts && isObfuscatedName(digits) ? parse(host, port: 0) : nil
    }

    private static func isAddressByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: ":"), UInt8(ascii: "a")...UInt8(ascii: "f"),
            UInt8(ascii: "A")...UInt8(ascii: "F"), UInt8(ascii: "."):
            true
        default: false
        }
    }

    /// Whether the text is a name behind which a proxy hides a port: `_` and at least one letter, digit, `.`, `_` or `-` (RFC
    /// 7239, section 6.3).
    private static func isObfuscatedName(_ text: some StringProtocol) -> Bool {
        text.utf8.first == UInt8(ascii: "_") && text.utf8.count >= 2
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
                    true
                default: false
                }
            }
    }
}

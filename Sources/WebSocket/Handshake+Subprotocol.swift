// Subprotocols: names by which client and server agree on what the messages mean (RFC 6455, 1.9 and 11.3.4).

extension Handshake {
    /// The first of the client's subprotocols that the server speaks; nil when there is none, which closes nothing.
    /// Names differ by case.
    public static func chooseSubprotocol(offered: [String], supported: [String]) -> String? {
        offered.first(where: supported.contains)
    }

    /// The tokens of all Sec-WebSocket-Protocol fields, in order; nil when an element is no token or named twice, and
    /// when there are more than `most`. Empty elements are ignored (RFC 9110, 5.6.1.2).
    static func readSubprotocols(_ fields: [String], most: Int) -> [String]? {
        var tokens: [String] = []
        var seen: Set<String> = []
        for field in fields {
            for element in field.utf8.split(separator: UInt8(ascii: ",")) {
                let token = trimmed(element)
                if token.isEmpty { continue }
                guard tokens.count < most, token.allSatisfy(isTokenByte) else { return nil }
                let name = String(Substring(token))
                guard seen.insert(name).inserted else { return nil }
                tokens.append(name)
            }
        }
        return tokens
    }

    /// The element without the spaces and tabs around it.
    private static func trimmed(_ element: Substring.UTF8View) -> Substring.UTF8View {
        var element = element.drop(while: isBlank)
        while let last = element.last, isBlank(last) { element.removeLast() }
        return element
    }

    static func isBlank(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t")
    }

    /// Whether the byte may stand in a token (RFC 9110, 5.6.2).
    static func isTokenByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        case 0x21, 0x23...0x27, 0x2A, 0x2B, 0x2D, 0x2E, 0x5E...0x60, 0x7C, 0x7E: true
        default: false
        }
    }
}

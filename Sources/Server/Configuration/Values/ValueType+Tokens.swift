// Lists of tokens, as HTTP knows them: the names of subprotocols.

extension ValueType where Value == [String] {
    /// Distinct tokens (RFC 9110, section 5.6.2).
    static var tokens: ValueType {
        let allowed = "a list of at most \(mostTokens) distinct names of letters, digits and !#$%&'*+-.^_`|~"
        return ValueType(
            allowed: allowed,
            read: { node, findings in
                guard let items = items(of: node, allowed: allowed, most: mostTokens, &findings) else { return nil }
                var tokens: [String] = []
                for (index, item) in items.enumerated() {
                    if let token = token(item), !tokens.contains(token) {
                        tokens.append(token)
                    } else {
                        findings.append(.notAllowed(item, allowed, path: "[\(index)]"))
                    }
                }
                return tokens
            },
            write: { tokens, _ in YAMLNode(.list(tokens.map(YAMLNode.text))) },
            split: { YAMLNode(.list(texts(in: $0).map { .text(String($0)) })) })
    }

    /// A handshake is compared with every token.
    private static var mostTokens: Int { 64 }

    private static func token(_ node: YAMLNode) -> String? {
        guard case .text(let text, _) = node.content, (1...255).contains(text.utf8.count),
            text.utf8.allSatisfy(isTokenByte)
        else { return nil }
        return text
    }

    private static func isTokenByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "a")...UInt8(ascii: "z"):
            true
        default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
    }
}

// The types whose value is a list or a map of texts: tokens, networks, origins, routes.

import JSON
import Proxies

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

extension ValueType where Value == [IPNetwork] {
    /// Distinct networks, as in 10.0.0.0/8 and 2001:db8::/32; an address alone is one, too.
    static var networks: ValueType {
        list(
            of: "networks such as 10.0.0.0/8 or ::1, no bits set behind the length",
            parse: { IPNetwork($0) })
    }
}

extension ValueType where Value == [OriginRule] {
    /// Distinct rules for origins.
    static var origins: ValueType {
        list(
            of: "https://a.com, https://*.a.com, same-origin, null or *",
            parse: { OriginRule($0) })
    }
}

extension ValueType {
    /// At most 256 distinct texts that `parse` takes: each connection may be compared with all of them.
    private static func list<Item: Hashable & Sendable & CustomStringConvertible>(
        of items: String, parse: @escaping @Sendable (String) -> Item?
    ) -> ValueType where Value == [Item] {
        let allowed = "a list of \(items)"
        return ValueType(
            allowed: allowed,
            read: { node, findings in
                guard let nodes = Self.items(of: node, allowed: allowed, most: 256, &findings) else { return nil }
                var list: [Item] = []
                for (index, node) in nodes.enumerated() {
                    if case .text(let text, _) = node.content, let item = parse(text), !list.contains(item) {
                        list.append(item)
                    } else {
                        findings.append(.notAllowed(node, allowed, path: "[\(index)]"))
                    }
                }
                return list
            },
            write: { list, _ in YAMLNode(.list(list.map { .text($0.description) })) },
            split: { YAMLNode(.list(texts(in: $0).map { .text(String($0)) })) })
    }
}

extension ValueType where Value == [String: String] {
    /// Paths that begin with `/`, or `*` for every other path, each with the name of a script below the scripts folder;
    /// `.lua` may be written or not.
    static var routes: ValueType {
        let allowed = "a map from paths such as /chat, or *, to names of scripts such as rooms/chat"
        return ValueType(
            allowed: allowed,
            read: { node, findings in
                guard let entries = entries(of: node, allowed: allowed, &findings) else { return nil }
                var routes: [String: String] = [:]
                for entry in entries {
                    if let script = script(entry.value), isPath(entry.name), routes[entry.name] == nil {
                        routes[entry.name] = script
                    } else {
                        findings.append(.notAllowed(entry.value, allowed, path: "[\(JSONQuoting.quoted(entry.name))]"))
                    }
                }
                return routes
            },
            write: { routes, _ in
                YAMLNode(.map(routes.sorted { $0.key < $1.key }.map { .init(name: $0.key, value: .text($0.value)) }))
            },
            split: pairs)
    }

    private static func isPath(_ text: String) -> Bool {
        if text == "*" { return true }
        return text.hasPrefix("/")
            && !text.unicodeScalars.contains { $0 == "?" || $0 == "#" || $0 == " " || JSONQuoting.isUnsafe($0) }
    }

    private static func script(_ node: YAMLNode) -> String? {
        guard case .text(let text, _) = node.content, !node.isNull else { return nil }
        let name = text.hasSuffix(".lua") ? text.dropLast(4) : text[...]
        let steps = name.split(separator: "/", omittingEmptySubsequences: false)
        let staysBelow = steps.allSatisfy { !["", ".", ".."].contains($0) }
        return staysBelow && !name.unicodeScalars.contains(where: JSONQuoting.isUnsafe) ? String(name) : nil
    }
}

// Lists of what is written as one text each: networks of proxies, origins of web pages.

internal import Proxies

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

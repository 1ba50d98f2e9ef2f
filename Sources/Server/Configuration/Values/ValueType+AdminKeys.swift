// The keys of the admin API. Whatever is wrong with one, what was given is not shown: a secret in the wrong place is
// still a secret.

extension ValueType where Value == [AdminKey] {
    /// Maps of `name`, `key` and, optionally, `scopes`; as text `NAME=KEY` or `NAME:SCOPE+SCOPE=KEY` between commas.
    static var adminKeys: ValueType {
        let allowed = "a list of at most \(mostKeys) keys, each with a name, a key and, optionally, scopes"
        return ValueType(
            allowed: allowed,
            read: { node, findings in
                guard let items = items(of: node, allowed: allowed, most: mostKeys, &findings) else { return nil }
                var reader = AdminKeyReader()
                for (index, item) in items.enumerated() { reader.read(item, index: index) }
                findings += reader.findings
                return reader.keys
            },
            write: { keys, showSecrets in YAMLNode(.list(keys.map { node($0, showSecrets) })) },
            split: { YAMLNode(.list(texts(in: $0).map(item))) })
    }

    /// A request is compared with every key.
    private static var mostKeys: Int { 256 }

    private static func node(_ key: AdminKey, _ showSecrets: Bool) -> YAMLNode {
        let scopes = AdminScope.allCases.filter(key.scopes.contains).map { YAMLNode.text($0.rawValue) }
        return YAMLNode(
            .map([
                .init(name: "name", value: .text(key.name)),
                .init(name: "key", value: .text(showSecrets ? key.key : Configuration.hidden)),
                .init(name: "scopes", value: YAMLNode(.list(scopes))),
            ]))
    }

    private static func item(_ text: Substring) -> YAMLNode {
        guard let equals = text.firstIndex(of: "=") else { return .text(String(text)) }
        let head = text[..<equals].split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        var entries: [YAMLNode.Entry] = [
            .init(name: "name", value: .text(String(head[0]))),
            .init(name: "key", value: .text(String(text[text.index(after: equals)...]))),
        ]
        if head.count == 2 {
            let scopes = head[1].split(separator: "+", omittingEmptySubsequences: false)
            entries.append(.init(name: "scopes", value: YAMLNode(.list(scopes.map { .text(String($0)) }))))
        }
        return YAMLNode(.map(entries))
    }
}

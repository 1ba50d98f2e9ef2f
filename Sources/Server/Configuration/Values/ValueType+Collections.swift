// What lists and maps have in common: nothing written is an empty one, and a variable or flag gives items between
// commas.

extension ValueType {
    /// The items of a list; nil, and a finding, when the node is none, or has too many.
    static func items(of node: YAMLNode, allowed: String, most: Int, _ findings: inout [Finding]) -> [YAMLNode]? {
        if node.isNull { return [] }
        guard case .list(let items) = node.content else {
            findings.append(Finding(.notAllowed(given: node.kind, allowed: allowed), at: node))
            return nil
        }
        if items.count <= most { return items }
        findings.append(Finding(.notAllowed(given: "\(items.count) items", allowed: allowed), at: node))
        return nil
    }

    /// The entries of a map; nil, and a finding, when the node is none.
    static func entries(of node: YAMLNode, allowed: String, _ findings: inout [Finding]) -> [YAMLNode.Entry]? {
        if case .map(let entries) = node.content { return entries }
        if node.isNull { return [] }
        findings.append(Finding(.notAllowed(given: node.kind, allowed: allowed), at: node))
        return nil
    }

    /// The texts between commas, without the spaces around them; none for an empty text.
    static func texts(in text: String) -> [Substring] {
        let isBlank = text.allSatisfy { $0 == " " }
        return isBlank ? [] : text.split(separator: ",", omittingEmptySubsequences: false).map(trimmed)
    }

    /// A map from `name=value` texts between commas; when one of them has no `=`, the whole text, which is no map.
    static func pairs(in text: String) -> YAMLNode {
        let texts = texts(in: text)
        let entries = texts.compactMap { text -> YAMLNode.Entry? in
            guard let equals = text.firstIndex(of: "=") else { return nil }
            let value = YAMLNode(.text(String(text[text.index(after: equals)...]), isPlain: true))
            return YAMLNode.Entry(name: String(text[..<equals]), position: nil, value: value)
        }
        return entries.count == texts.count ? YAMLNode(.map(entries)) : .text(text)
    }

    private static func trimmed(_ text: Substring) -> Substring {
        var text = text.drop { $0 == " " }
        while text.last == " " { text.removeLast() }
        return text
    }
}

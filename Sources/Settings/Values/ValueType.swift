// The type of a key's value: its form in each layer, its range, its text. A type is a value with three functions, so that a new
// one is a few lines, and the table of keys can name it with its range.
//
// Read next: ValueType+Scalars.swift, ValueType+Collections.swift, ValueType+Records.swift

import JSON

/// A type of configuration value.
struct ValueType<Value: Sendable>: Sendable {
    /// The allowed values, as the end of the sentence "allowed: …".
    let allowed: String
    /// The value that a node stands for; nil, with at least one finding, when it stands for none.
    let read: @Sendable (_ node: YAMLNode, _ findings: inout [Finding]) -> Value?
    /// The value as a node; secrets only if they may be shown.
    let write: @Sendable (_ value: Value, _ showSecrets: Bool) -> YAMLNode
    /// The node that the text of a variable or flag stands for, unless it is YAML; nil for a type whose text is the value.
    var split: (@Sendable (_ text: String) -> YAMLNode)?

    /// A type whose value is one text.
    static func scalar(
        _ allowed: String, parse: @escaping @Sendable (String) -> Value?, format: @escaping @Sendable (Value) -> String
    ) -> ValueType {
        ValueType(
            allowed: allowed,
            read: { node, findings in
                if case .text(let text, _) = node.content, !node.isNull, let value = parse(text) { return value }
                findings.append(.notAllowed(node, allowed))
                return nil
            },
            write: { value, _ in .text(format(value)) })
    }
}

/// A problem within the value of one key. The loader adds the layer, and so makes a ``ConfigurationProblems/Problem`` of it.
struct Finding: Equatable {
    let fault: Fault
    /// Where within the key's value, as in `[0].scopes`; empty for the value itself.
    var path: String
    let position: YAMLNode.Position?

    /// The kinds of problems.
    enum Fault: Equatable {
        /// The value is not one of those allowed; `given` is nil where it must not be shown.
        case notAllowed(given: String?, allowed: String)
        /// A name that is unknown in this place.
        case unknown(hint: String)
        /// A sentence of its own.
        case told(String)
    }

    init(_ fault: Fault, at node: YAMLNode, path: String = "") {
        self.init(fault, position: node.position, path: path)
    }

    init(_ fault: Fault, position: YAMLNode.Position?, path: String = "") {
        self.fault = fault
        self.position = position
        self.path = path
    }

    /// The value is not one of those allowed; a text is quoted, anything else is named by its kind.
    static func notAllowed(_ node: YAMLNode, _ allowed: String, path: String = "") -> Finding {
        Finding(.notAllowed(given: shown(node), allowed: allowed), at: node, path: path)
    }

    private static func shown(_ node: YAMLNode) -> String {
        guard case .text(let text, _) = node.content, !node.isNull else { return node.kind }
        return JSONQuoting.quoted(text.count > 60 ? text.prefix(59) + "…" : text[...])
    }
}

// MARK: Lists and maps

extension ValueType {
    /// The items of a list; nil, with a finding, when the node is no list, or has too many.
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

    /// The entries of a map; nil, with a finding, when the node is no map.
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

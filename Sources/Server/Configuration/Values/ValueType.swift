// The type of a key's value: how it is read from each layer, what it allows, how it is written. A type is a value with
// three functions, so that a new one is a few lines in a file of its own, and the table of keys can name it with its
// range.
//
// Read next: ValueType+Scalars.swift

/// A type of configuration value.
struct ValueType<Value: Sendable>: Sendable {
    /// What is allowed, as it ends the sentence "allowed: …".
    let allowed: String
    /// The value that a node stands for; nil, and at least one finding, when it is none.
    let read: @Sendable (_ node: YAMLNode, _ findings: inout [Finding]) -> Value?
    /// The value as a node; secrets only where they may be seen.
    let write: @Sendable (_ value: Value, _ showSecrets: Bool) -> YAMLNode
    /// The node that the text of a variable or flag stands for, where it is not written as YAML; nil for a type whose
    /// text is the value.
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

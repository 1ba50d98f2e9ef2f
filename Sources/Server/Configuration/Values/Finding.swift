// What a value's type finds wrong with what it was given. The loader knows which layer gave it and makes a problem of
// it.

import JSON

/// Something wrong within the value of one key.
struct Finding: Equatable {
    /// What is wrong.
    let fault: Fault
    /// Where within the key's value, as in `[0].scopes`; empty for the value itself.
    var path: String
    let position: YAMLNode.Position?

    /// The ways to be wrong.
    enum Fault: Equatable {
        /// The value is not one of those allowed; `given` is nil where it must not be shown.
        case notAllowed(given: String?, allowed: String)
        /// A name that is not known in this place.
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

// The map from paths to scripts.

import JSON

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

// Reads the list of the admin API's keys, item by item, and keeps every finding.

/// The keys read so far, and what was wrong.
struct AdminKeyReader {
    private(set) var keys: [AdminKey] = []
    private(set) var findings: [Finding] = []
    private var path = ""

    private static let fields = ["name", "key", "scopes"]
    private static let shortest = 16

    /// Reads the key at an index of the list.
    mutating func read(_ node: YAMLNode, index: Int) {
        path = "[\(index)]"
        guard case .map(let entries) = node.content else {
            return find(.notAllowed(given: node.kind, allowed: "a map of name, key and, optionally, scopes"), node)
        }
        for entry in entries where !Self.fields.contains(entry.name) {
            let hint = Nearest.name(to: entry.name, among: Self.fields).map { "; did you mean '\($0)'?" }
            findings.append(
                Finding(
                    .unknown(hint: hint ?? "; known: \(Self.fields.joined(separator: ", "))"),
                    position: entry.position, path: "\(path).\(entry.name)"))
        }
        let name = name(in: entries, of: node)
        let secret = secret(in: entries, of: node)
        let scopes = scopes(in: entries)
        if let name, let secret, let scopes { keys.append(AdminKey(name: name, key: secret, scopes: scopes)) }
    }

    private mutating func name(in entries: [YAMLNode.Entry], of node: YAMLNode) -> String? {
        let value = entries.first { $0.name == "name" }?.value
        guard case .text(let name, _)? = value?.content, (1...64).contains(name.utf8.count),
            name.utf8.allSatisfy(Self.isNameByte)
        else {
            return missing("1 to 64 of A-Z a-z 0-9 _ . -", value, of: node, field: "name")
        }
        if keys.contains(where: { $0.name == name }) {
            return missing("a name that no other key has", value, of: node, field: "name")
        }
        return name
    }

    private mutating func secret(in entries: [YAMLNode.Entry], of node: YAMLNode) -> String? {
        let value = entries.first { $0.name == "key" }?.value
        // What a request can present in a header field: visible ASCII.
        guard case .text(let key, _)? = value?.content, key.utf8.count >= Self.shortest, key.utf8.count <= 1024,
            key.utf8.allSatisfy({ (0x21...0x7E).contains($0) })
        else {
            return missing("\(Self.shortest) to 1024 visible ASCII characters", value, of: node, field: "key")
        }
        if keys.contains(where: { $0.key == key }) {
            return missing("a secret that no other key has", value, of: node, field: "key")
        }
        return key
    }

    private mutating func scopes(in entries: [YAMLNode.Entry]) -> Set<AdminScope>? {
        guard let value = entries.first(where: { $0.name == "scopes" })?.value else { return Set(AdminScope.allCases) }
        let allowed = "a list of one or more of " + AdminScope.allCases.map(\.rawValue).joined(separator: ", ")
        guard case .list(let items) = value.content, !items.isEmpty else {
            find(.notAllowed(given: nil, allowed: allowed), value, field: "scopes")
            return nil
        }
        let scopes = items.map { item -> AdminScope? in
            if case .text(let text, _) = item.content, let scope = AdminScope(rawValue: text) { return scope }
            find(.notAllowed(given: nil, allowed: allowed), item, field: "scopes")
            return nil
        }
        return scopes.contains(nil) ? nil : Set(scopes.compactMap(\.self))
    }

    private mutating func missing(
        _ allowed: String, _ value: YAMLNode?, of node: YAMLNode, field: String
    ) -> String? {
        find(.notAllowed(given: value == nil ? "nothing" : nil, allowed: allowed), value ?? node, field: field)
        return nil
    }

    private mutating func find(_ fault: Finding.Fault, _ node: YAMLNode, field: String? = nil) {
        findings.append(Finding(fault, at: node, path: field.map { "\(path).\($0)" } ?? path))
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "-"):
            true
        default: false
        }
    }
}

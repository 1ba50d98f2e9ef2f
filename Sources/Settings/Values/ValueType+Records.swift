// The types whose value is a list of maps: keys of the admin API, certificates. A problem with a key never shows what was given: a
// secret in the wrong place is still a secret.

import Scripting

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

/// The keys read so far, and their errors.
private struct AdminKeyReader {
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
            let hint = NearestName.of(entry.name, among: Self.fields).map { "; did you mean '\($0)'?" }
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
        // Visible ASCII: a request presents the key in a header field.
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

extension ValueType where Value == [CertificatePaths] {
    /// Maps of `certificate` and `key`, both paths; as text `CERTIFICATE=KEY` between commas.
    static var certificates: ValueType {
        let allowed = "a list of at most \(mostCertificates) pairs, each with the paths of a certificate and its key"
        return ValueType(
            allowed: allowed,
            read: { node, findings in
                guard let items = items(of: node, allowed: allowed, most: mostCertificates, &findings) else {
                    return nil
                }
                return items.enumerated().compactMap { pair($1, index: $0, &findings) }
            },
            write: { pairs, _ in YAMLNode(.list(pairs.map { node($0.certificate, $0.key) })) },
            split: { text in
                YAMLNode(
                    .list(
                        texts(in: text).map { item in
                            guard let equals = item.firstIndex(of: "=") else { return .text(String(item)) }
                            return node(String(item[..<equals]), String(item[item.index(after: equals)...]))
                        }))
            })
    }

    /// Each is a context of OpenSSL on every port.
    private static var mostCertificates: Int { 256 }

    private static func node(_ certificate: String, _ key: String) -> YAMLNode {
        YAMLNode(
            .map([
                .init(name: "certificate", value: .text(certificate)), .init(name: "key", value: .text(key)),
            ]))
    }

    private static func pair(_ node: YAMLNode, index: Int, _ findings: inout [Finding]) -> CertificatePaths? {
        guard case .map(let entries) = node.content else {
            findings.append(
                Finding(
                    .notAllowed(given: node.kind, allowed: "a map of certificate and key"), at: node, path: "[\(index)]"
                ))
            return nil
        }
        for entry in entries where !["certificate", "key"].contains(entry.name) {
            findings.append(
                Finding(
                    .unknown(hint: "; known: certificate, key"), position: entry.position,
                    path: "[\(index)].\(entry.name)"))
        }
        guard let certificate = path("certificate", in: entries, of: node, index, &findings),
            let key = path("key", in: entries, of: node, index, &findings)
        else { return nil }
        return CertificatePaths(certificate: certificate, key: key)
    }

    private static func path(
        _ name: String, in entries: [YAMLNode.Entry], of node: YAMLNode, _ index: Int, _ findings: inout [Finding]
    ) -> String? {
        let value = entries.first { $0.name == name }?.value
        if case .text(let text, _)? = value?.content, !text.isEmpty, !text.utf8.contains(0) { return text }
        let given = value.map(\.kind) ?? "nothing"
        findings.append(
            Finding(
                .notAllowed(given: given, allowed: "the path of a PEM file"), at: value ?? node,
                path: "[\(index)].\(name)"))
        return nil
    }
}

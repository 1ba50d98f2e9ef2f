// The list of certificates with their keys.

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

    /// Each is a context of OpenSSL's for every port.
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

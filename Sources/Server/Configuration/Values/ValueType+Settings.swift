// The scripts' own settings: any YAML, kept as JSON.

import JSON

extension ValueType where Value == ScriptSettings {
    /// A map of any names and values; as text also `NAME=VALUE` between commas.
    static var settings: ValueType {
        let allowed = "a map of names and any values"
        return ValueType(
            allowed: allowed,
            read: { node, findings in
                guard let entries = entries(of: node, allowed: allowed, &findings) else { return nil }
                var settings: [ScriptSettings.Entry] = []
                var names: Set<String> = []
                for entry in entries {
                    if !names.insert(entry.name).inserted {
                        findings.append(Finding(.told("given more than once"), at: entry.value, path: "." + entry.name))
                    } else if let json = JSONText.json(entry.value, path: "." + entry.name, &findings) {
                        settings.append(ScriptSettings.Entry(name: entry.name, json: json))
                    }
                }
                return ScriptSettings(settings)
            },
            write: { settings, showSecrets in
                YAMLNode(
                    .map(
                        settings.entries.map {
                            let value: YAMLNode =
                                showSecrets ? YAMLNode(.verbatim($0.json)) : .text(Configuration.hidden)
                            return .init(name: $0.name, value: value)
                        }))
            },
            split: pairs)
    }
}

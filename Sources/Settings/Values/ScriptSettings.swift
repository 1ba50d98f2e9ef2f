// The operator's own section, `scripts.settings`: any names and values, handed to Lua as JSON so that lists, maps and whole numbers
// arrive as they were written.

import JSON

/// The table `config` of the scripts: names in the order of the configuration, each with a value of any shape.
public struct ScriptSettings: Sendable, Equatable {
    /// The settings, in the order in which they were written.
    public let entries: [Entry]

    /// Settings made of these entries; names are unique.
    public init(_ entries: [Entry] = []) {
        self.entries = entries
    }

    /// All settings as one JSON object; whole numbers have neither a fraction nor an exponent.
    public var json: String {
        "{" + entries.map { "\(JSONQuoting.quoted($0.name)): \($0.json)" }.joined(separator: ", ") + "}"
    }

    /// One setting.
    public struct Entry: Sendable, Equatable {
        /// The name, as in `config.NAME`.
        public let name: String
        /// The value as JSON text.
        public let json: String

        /// A setting with this name, and its value as JSON text.
        public init(name: String, json: String) {
            self.name = name
            self.json = json
        }
    }
}

extension ScriptSettings: CustomStringConvertible, CustomReflectable {
    /// The names without their values, because scripts keep their secrets here.
    public var description: String { "ScriptSettings(\(entries.map(\.name).joined(separator: ", ")))" }

    /// A mirror without the values.
    public var customMirror: Mirror { Mirror(self, children: ["names": entries.map(\.name)]) }
}

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

/// YAML values as JSON text, by the core schema of YAML 1.2: a plain scalar that looks like a number, a truth value or null is one;
/// `yes` and `no` are texts. A number keeps its digits, so that a whole number stays whole at any size.
private enum JSONText {
    /// Deeper values are refused, because scripts could not read them.
    private static let deepest = 32

    /// The value as JSON on one line; nil, with a finding, when JSON has no such value.
    static func json(_ node: YAMLNode, path: String, depth: Int = 1, _ findings: inout [Finding]) -> String? {
        guard depth <= deepest else {
            findings.append(Finding(.told("nested more than \(deepest) levels deep"), at: node, path: path))
            return nil
        }
        switch node.content {
        case .text(let text, let isPlain):
            guard isPlain else { return JSONQuoting.quoted(text) }
            if let json = plain(text) { return json }
            findings.append(.notAllowed(node, "a finite number; in quotes it is a text", path: path))
            return nil
        case .list(let items):
            var elements: [String] = []
            for (index, item) in items.enumerated() {
                json(item, path: "\(path)[\(index)]", depth: depth + 1, &findings).map { elements.append($0) }
            }
            return "[" + elements.joined(separator: ", ") + "]"
        case .map(let entries):
            var members: [String] = []
            for entry in entries {
                json(entry.value, path: "\(path).\(entry.name)", depth: depth + 1, &findings)
                    .map { members.append("\(JSONQuoting.quoted(entry.name)): \($0)") }
            }
            return "{" + members.joined(separator: ", ") + "}"
        case .verbatim(let text):
            return text
        }
    }

    /// The meaning of a plain scalar; nil for an infinity or "not a number", which JSON lacks.
    private static func plain(_ text: String) -> String? {
        switch text {
        case "", "~", "null", "Null", "NULL": return "null"
        case "true", "True", "TRUE": return "true"
        case "false", "False", "FALSE": return "false"
        case ".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF", "-.inf", "-.Inf", "-.INF", ".nan", ".NaN", ".NAN":
            return nil
        default:
            guard let number = number(text) else { return JSONQuoting.quoted(text) }
            return Double(number)?.isFinite == true ? number : nil
        }
    }

    private static func number(_ text: String) -> String? {
        for (prefix, radix) in [("0x", 16), ("0o", 8)] where text.hasPrefix(prefix) {
            return text.dropFirst(2).first?.isHexDigit == true ? Int(text.dropFirst(2), radix: radix)?.description : nil
        }
        guard let parts = text.wholeMatch(of: /([-+]?)([0-9]*)(?:\.([0-9]*))?(?:[eE]([-+]?[0-9]+))?/)?.output,
            !parts.2.isEmpty || parts.3?.isEmpty == false
        else { return nil }
        let digits = parts.2.drop { $0 == "0" }
        return (parts.1 == "-" ? "-" : "")
            + (digits.isEmpty ? "0" : digits)
            + (parts.3.map { "." + ($0.isEmpty ? "0" : $0) } ?? "")
            + (parts.4.map { "e" + $0 } ?? "")
    }
}

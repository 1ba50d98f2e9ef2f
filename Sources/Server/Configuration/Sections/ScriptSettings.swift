// The operator's own section, `scripts.settings`: any names and values, handed to Lua as JSON so that lists, maps and
// whole numbers arrive as they were written.

import JSON

/// What scripts see as `config`: names in the order of the configuration, each with a value of any shape.
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

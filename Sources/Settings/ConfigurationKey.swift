// A section of the configuration and its keys, the single source of the configuration: reading, environment names, the
// documented file and `perigee config` all come from these rows.
//
// Read next: Values/ValueType.swift

/// A section: its name, its comment in the documented file, its keys.
struct ConfigurationSection: Sendable {
    /// As in `admin`; nil for the keys outside of all sections.
    let name: String?
    let documentation: String
    let keys: [ConfigurationKey]

    init(_ name: String?, _ documentation: String, keys: [ConfigurationKey]) {
        self.name = name
        self.documentation = documentation
        self.keys = keys
    }
}

/// A key: its path, its type with the allowed range, its purpose. Its default is its field's in `Configuration()`.
struct ConfigurationKey: Sendable {
    /// Section and name, as in `admin.maxBody`.
    let path: String
    /// The purpose of the key; one line or more.
    let documentation: String
    /// The parts of a value that is a map with names of its own.
    let details: [Detail]
    /// The allowed values.
    let allowed: String
    /// Whether the value is shown only if secrets are asked for.
    let isSecret: Bool
    /// Whether a change waits for the next start of the process.
    let needsRestart: Bool
    /// Reads a node into the field; a problem goes to the findings, and the field keeps its value.
    let assign: @Sendable (YAMLNode, inout Configuration, inout [Finding]) -> Void
    /// The field's value as a node; a secret only if it may be shown.
    let value: @Sendable (_ configuration: Configuration, _ showSecrets: Bool) -> YAMLNode
    /// The node that the text of a variable or flag stands for; nil for a type whose text is the value.
    let split: (@Sendable (String) -> YAMLNode)?

    init<Value>(
        _ path: String, _ field: any WritableKeyPath<Configuration, Value> & Sendable, _ type: ValueType<Value>,
        secret: Bool = false, needsRestart: Bool = true, _ documentation: String, details: [Detail] = []
    ) {
        self.path = path
        self.documentation = documentation
        self.details = details
        self.allowed = type.allowed
        self.isSecret = secret
        self.needsRestart = needsRestart
        self.split = type.split
        self.value = { configuration, showSecrets in type.write(configuration[keyPath: field], showSecrets) }
        self.assign = { node, configuration, findings in
            let before = findings.count
            let value = type.read(node, &findings)
            if findings.count == before, let value { configuration[keyPath: field] = value }
        }
    }

    /// A part of a key's value, for the documentation.
    struct Detail: Sendable {
        let name: String
        let purpose: String
        let allowed: String
        /// The value without this part.
        let standard: String
    }

    /// The section, as in `admin`; nil for a key outside of all sections.
    var section: String? { path.firstIndex(of: ".").map { String(path[..<$0]) } }

    /// The name within the section.
    var name: String { section.map { String(path.dropFirst($0.count + 1)) } ?? path }

    /// The environment variable: `admin.maxBody` is `PERIGEE_ADMIN_MAX_BODY`, `limits.connectionsPerIP` ends with `PER_IP`.
    var environmentName: String {
        zip(path, "." + path).reduce(into: Self.environmentPrefix) { name, characters in
            let (character, previous) = characters
            if character.isUppercase && !previous.isUppercase { name += "_" }
            name += character == "." ? "_" : character.uppercased()
        }
    }

    /// The beginning of the name of each environment variable of ours.
    static let environmentPrefix = "PERIGEE_"
}

extension ClosedRange<Duration> {
    /// The range of most times, 10 ms to 1 h.
    static var anyTime: ClosedRange { .milliseconds(10) ... .seconds(3600) }
}

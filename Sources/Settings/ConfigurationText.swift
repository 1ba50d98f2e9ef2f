// The configuration as YAML: the effective one, as `perigee config` prints it, and the documented defaults of
// `config/perigee.yaml`.

extension Configuration {
    /// The text in the place of a secret.
    static let hidden = "(hidden)"

    /// Every key with its effective value, as YAML; with secrets shown, loading the text gives this configuration
    /// again.
    ///
    /// - Parameter showSecrets: Whether keys of the admin API and the scripts' settings are shown; else they read
    ///   `(hidden)`.
    public func render(showSecrets: Bool = false) -> String {
        let lines = Self.sections.flatMap { section in
            (section.name.map { ["", "\($0):"] } ?? [])
                + section.keys.flatMap { key in
                    key.value(self, showSecrets).written(as: key.name, indent: section.name == nil ? 0 : 2)
                }
        }
        return lines.joined(separator: "\n") + "\n"
    }
}

extension Configuration {
    /// The text of `config/perigee.yaml`; loading it gives the defaults.
    public static func documented() -> String {
        var lines = introduction
        for section in sections {
            for (index, key) in section.keys.enumerated() {
                lines.append("")
                if index == 0, let name = section.name {
                    lines += comment(section.documentation, indent: 0) + ["\(name):"]
                }
                lines += documented(key)
            }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private static let introduction = comment(
        """
        Perigee's configuration: every key, at its default. All of them may be left out.

        A key is taken from the command line, else from its environment variable (named with each key),
        else from the file that --config names, else from its default. An unknown key or a value that is not
        allowed stops the start, with its line. `perigee config` prints the effective configuration.
        A change takes effect at the next start.
        """, indent: 0)

    /// A key with its comment: its purpose, its environment variable, its values.
    static func documented(_ key: ConfigurationKey) -> [String] {
        let indent = key.section == nil ? 0 : 2
        let reload = key.needsRestart ? [] : comment("Takes effect at the next reload of the scripts.", indent: indent)
        return comment(key.documentation, indent: indent)
            + key.details.flatMap { detail in
                comment("\(detail.name): \(detail.allowed); default: \(detail.standard)", indent: indent)
                    + comment(detail.purpose, indent: indent + 2)
            }
            + reload
            + comment("\(key.environmentName): \(key.allowed)", indent: indent)
            + key.value(Configuration(), false).written(as: key.name, indent: indent)
    }

    private static func comment(_ text: String, indent: Int) -> [String] {
        text.split(separator: "\n", omittingEmptySubsequences: false).map {
            String(repeating: " ", count: indent) + ($0.isEmpty ? "#" : "# \($0)")
        }
    }
}

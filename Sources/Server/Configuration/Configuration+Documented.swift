// The text of config/perigee.yaml: every key, explained, at its default.

extension Configuration {
    /// The text of `config/perigee.yaml`; loading it gives the defaults.
    public static func documented() -> String {
        var lines = introduction
        var section: String?
        for key in keys {
            lines.append("")
            if key.section != section, let next = sections.first(where: { $0.name == key.section }) {
                lines += comment(next.documentation, indent: 0) + ["\(next.name):"]
            }
            section = key.section
            lines += documented(key)
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

    /// A key with its comment: what it is for, its environment variable, what is allowed.
    static func documented(_ key: ConfigurationKey) -> [String] {
        let indent = key.section == nil ? 0 : 2
        let reload = key.needsRestart ? [] : comment("Takes effect at the next reload of the scripts.", indent: indent)
        return comment(key.documentation, indent: indent)
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

// The effective configuration as YAML, as `perigee config` prints it.

extension Configuration {
    /// What stands in the place of a secret.
    static let hidden = "(hidden)"

    /// Every key with its effective value, as YAML; with secrets shown, loading the text gives this configuration
    /// again.
    ///
    /// - Parameter showSecrets: Whether keys of the admin API and the scripts' settings are shown; else they read
    ///   `(hidden)`.
    public func render(showSecrets: Bool = false) -> String {
        lines { key in key.value(self, showSecrets).written(as: key.name, indent: key.section == nil ? 0 : 2) }
    }

    /// The text of every key, one section after the other, blank lines between sections.
    private func lines(_ text: (ConfigurationKey) -> [String]) -> String {
        var lines: [String] = []
        var section: String?
        for key in Self.keys {
            if key.section != section, let name = key.section { lines += ["", "\(name):"] }
            section = key.section
            lines += text(key)
        }
        return lines.joined(separator: "\n") + "\n"
    }
}

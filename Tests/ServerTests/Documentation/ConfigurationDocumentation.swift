// The keys of the page "Configuration", made from the table of keys.

@testable import Settings

/// A heading for each section and each key.
enum ConfigurationDocumentation {
    static var keys: String {
        Configuration.sections.map { section in
            let title = section.name.map { "`\($0)`" } ?? "Keys outside of all sections"
            let introduction = section.documentation.isEmpty ? "" : prose(section.documentation) + "\n\n"
            return "## \(title)\n\n" + introduction + section.keys.map(text).joined(separator: "\n")
        }.joined(separator: "\n")
    }

    private static func text(_ key: ConfigurationKey) -> String {
        let written = key.value(Configuration(), false).written(as: key.name, indent: 0).joined(separator: " ")
        let value = written.dropFirst(key.name.count + 2)
        let reload = key.needsRestart ? "" : " Takes effect at the next reload of the scripts."
        return """
            ### `\(key.path)`

            \(body(key))\(table(key.details))

            `\(value)` by default; \(escaped(key.allowed)).\(reload) `\(key.environmentName)`

            """
    }

    /// The purpose of a key. Lines that are indented are an example, which gets the section above it.
    private static func body(_ key: ConfigurationKey) -> String {
        let lines = key.documentation.split(separator: "\n")
        let example = lines.filter { $0.hasPrefix("  ") }
        let text = prose(lines.filter { !$0.hasPrefix("  ") }.joined(separator: "\n"))
        guard !example.isEmpty else { return text }
        let head = key.section.map { "\($0):\n" } ?? ""
        let shown = key.section == nil ? example.map { $0.dropFirst(2) } : example
        return text + "\n\n```yaml\n" + head + shown.joined(separator: "\n") + "\n```"
    }

    private static func table(_ details: [ConfigurationKey.Detail]) -> String {
        guard !details.isEmpty else { return "" }
        let rows = details.map { detail in
            "| `\(detail.name)` | `\(detail.standard)` | \(prose(detail.purpose)) \(escaped(detail.allowed)) |"
        }
        return "\n\n| option | default | meaning |\n|---|---|---|\n" + rows.joined(separator: "\n")
    }

    /// Lines joined to one paragraph.
    private static func prose(_ text: String) -> String {
        escaped(text.split(separator: "\n").joined(separator: " "))
    }

    /// The text without the signs that Markdown would read.
    private static func escaped(_ text: String) -> String {
        text.reduce(into: "") { text, character in
            if "*`<[|".contains(character) { text += "\\" }
            text.append(character)
        }
    }
}

// A value written as YAML: maps and lists of maps as blocks, everything else on one line. What this writes, the reader
// reads back.

import JSON

extension YAMLNode {
    /// The lines of `name: value`; nested lines are indented by two more spaces.
    func written(as name: String, indent: Int = 0) -> [String] {
        let margin = String(repeating: " ", count: indent)
        let label = margin + Self.quotedWhereNeeded(name) + ":"
        switch content {
        case .map(let entries) where !entries.isEmpty:
            return [label] + entries.flatMap { $0.value.written(as: $0.name, indent: indent + 2) }
        case .list(let items) where items.contains(where: \.isMap):
            return [label] + items.flatMap { $0.writtenAsItem(indent: indent + 2) }
        case .text, .list, .map, .verbatim:
            return [label + " " + inline]
        }
    }

    private func writtenAsItem(indent: Int) -> [String] {
        guard case .map(let entries) = content else { return [String(repeating: " ", count: indent) + "- " + inline] }
        let lines = entries.flatMap { $0.value.written(as: $0.name, indent: indent + 2) }
        let first = String(repeating: " ", count: indent) + "- " + (lines.first ?? "{}").dropFirst(indent + 2)
        return [first] + lines.dropFirst()
    }

    private var isMap: Bool {
        if case .map = content { true } else { false }
    }

    /// The value on one line.
    private var inline: String {
        switch content {
        case .text(let text, _): Self.quotedWhereNeeded(text)
        case .list(let items): "[" + items.map(\.inline).joined(separator: ", ") + "]"
        case .map(let entries):
            "{" + entries.map { Self.quotedWhereNeeded($0.name) + ": " + $0.value.inline }.joined(separator: ", ") + "}"
        case .verbatim(let text): text
        }
    }

    /// The text as a plain scalar where every YAML reader takes it for that text, or a plain number or truth value;
    /// else in double quotes.
    private static func quotedWhereNeeded(_ text: String) -> String {
        let isPlain =
            text.unicodeScalars.allSatisfy { plainScalars.contains($0) }
            && !text.isEmpty && !":-. ".contains(text.first!) && !": ".contains(text.last!)
            && !text.contains(": ") && !["null", "Null", "NULL"].contains(text)
        return isPlain ? text : JSONQuoting.quoted(text)
    }

    private static let plainScalars = Set(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_./:() -".unicodeScalars)
}

// A YAML value: text, list or map, with the place where it was written; and the value written again. Only the reader knows the
// parser behind this tree.
//
// Read next: YAMLReader.swift

import JSON

/// A YAML value and its place.
struct YAMLNode: Sendable, Equatable {
    let content: Content
    /// Where the value begins; nil when it was not read from a file.
    var position: Position?

    init(_ content: Content, at position: Position? = nil) {
        self.content = content
        self.position = position
    }

    /// The kinds of values.
    enum Content: Sendable, Equatable {
        /// Text; plain when it stood without quotes, and so could be meant as a number, a truth value or null.
        case text(String, isPlain: Bool)
        case list([YAMLNode])
        case map([Entry])
        /// Text that already is YAML, on one line; written, never read.
        case verbatim(String)
    }

    /// A name and its value in a map.
    struct Entry: Sendable, Equatable {
        let name: String
        var position: Position?
        let value: YAMLNode
    }

    /// A line and a column, both from 1.
    struct Position: Sendable, Equatable {
        let line: Int
        let column: Int
    }

    static func text(_ text: String) -> YAMLNode { YAMLNode(.text(text, isPlain: false)) }

    /// Whether the value is empty, or the word for null.
    var isNull: Bool {
        guard case .text(let text, isPlain: true) = content else { return false }
        return ["", "~", "null", "Null", "NULL"].contains(text)
    }

    /// The kind of the value in a word, without its content.
    var kind: String {
        switch content {
        case _ where isNull: "nothing"
        case .text: "a text"
        case .list: "a list"
        case .map: "a map"
        case .verbatim: "a value"
        }
    }
}

/// A mistake in the YAML itself, found before any key is looked at.
struct YAMLMistake: Error, Equatable {
    let message: String
    let position: YAMLNode.Position?
}

// MARK: Writing

extension YAMLNode {
    /// The lines of `name: value`; nested lines are indented by two more spaces. Maps and lists of maps are blocks, other values
    /// stand on one line. The reader reads back all that this writes.
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

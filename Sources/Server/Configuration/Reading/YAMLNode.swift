// A YAML value as Perigee sees it: text, list or map, with the place where it was written. Everything but the reader
// works on this tree, so that the parser behind it is known to one file.

/// A YAML value and its place.
struct YAMLNode: Sendable, Equatable {
    let content: Content
    /// Where the value begins; nil when it was not read from a file.
    var position: Position?

    init(_ content: Content, at position: Position? = nil) {
        self.content = content
        self.position = position
    }

    /// What a value is.
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

    /// Whether nothing was written here, or the word for nothing.
    var isNull: Bool {
        guard case .text(let text, isPlain: true) = content else { return false }
        return ["", "~", "null", "Null", "NULL"].contains(text)
    }

    /// What the value is, in a word, without its content.
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

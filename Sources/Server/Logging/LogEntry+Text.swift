// An entry as a line for people:
//
//     2026-11-22T16:24:22.123Z info  script loaded  version=7 files="main.lua, echo.lua"
//
// A value of several lines, such as Lua's traceback, follows on lines of its own. They are indented, so that nothing
// in a value can pass for an entry.

import JSON
internal import Logging

extension LogEntry {
    /// The entry with its line feed.
    var text: String {
        var line = "\(time) \(Self.padded(level)) \(Self.escaped(message))"
        var blocks = ""
        var separator = "  "
        for (name, value) in fields {
            let value = Self.cut(Self.plain(value))
            if value.unicodeScalars.contains("\n") {
                blocks += Self.block(Self.word(name), value)
            } else {
                line += "\(separator)\(Self.word(name))=\(Self.word(value))"
                separator = " "
            }
        }
        return line + "\n" + blocks
    }

    private static func padded(_ level: Logger.Level) -> String {
        level.rawValue + String(repeating: " ", count: max(0, 5 - level.rawValue.count))
    }

    private static func block(_ name: String, _ value: String) -> String {
        let lines = value.unicodeScalars.split(separator: "\n").map { line in
            "      "
                + line.split(separator: "\t", omittingEmptySubsequences: false).map { escaped(String($0)) }
                .joined(separator: "  ") + "\n"
        }
        return "    \(name):\n" + lines.joined()
    }

    /// A value as it reads where quotes are not needed.
    private static func plain(_ value: Logger.Metadata.Value) -> String {
        switch value {
        case .string(let text): text
        case .stringConvertible(let value): value.description
        case .array(let values): values.map(plain).joined(separator: ", ")
        case .dictionary(let values):
            values.sorted { $0.key < $1.key }.map { "\($0.key)=\(plain($0.value))" }.joined(separator: ", ")
        }
    }

    /// The text as one word: in quotes where it is empty or has what separates words.
    private static func word(_ text: String) -> String {
        let isWord =
            !text.isEmpty
            && !text.unicodeScalars.contains {
                " \"=\\".unicodeScalars.contains($0) || JSONQuoting.isUnsafe($0)
            }
        return isWord ? text : JSONQuoting.quoted(text)
    }

    /// The text without quotes on one line; line feeds and tabs as `\n` and `\t`.
    private static func escaped(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: JSONQuoting.isUnsafe) else { return text }
        return text.unicodeScalars.reduce(into: "") { escaped, scalar in
            switch scalar {
            case "\n": escaped += "\\n"
            case "\r": escaped += "\\r"
            case "\t": escaped += "\\t"
            case _ where JSONQuoting.isUnsafe(scalar): escaped += JSONQuoting.escape(scalar)
            default: escaped.unicodeScalars.append(scalar)
            }
        }
    }
}

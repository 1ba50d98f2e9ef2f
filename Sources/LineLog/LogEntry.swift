// One log entry and the two forms in which it is written. Fields are sorted by name, so that equal entries are equal text.
//
//     2026-11-22T16:24:22.123Z info  script loaded  version=7 files="main.lua, echo.lua"
//     {"time":"2026-11-22T16:24:22.123Z","level":"info","message":"script loaded","fields":{"version":7}}
//
// In text, a value of several lines, such as Lua's traceback, follows on lines of its own. They are indented, so that no part of a
// value looks like an entry. In JSON, fields are an object of their own: scripts name them, and must not be able to name one
// `level`.

import CLinux
import Glibc
import JSON
import Logging

/// The parts of a log entry.
struct LogEntry {
    let time: String
    let level: Logger.Level
    let message: String
    let fields: [(name: String, value: Logger.Metadata.Value)]

    /// The longest message or value in UTF-8 bytes; a longer one is cut, so that one line of a peer or a script cannot fill a disk.
    private static let longest = 8 << 10

    init(time: String, level: Logger.Level, message: String, fields: Logger.Metadata) {
        self.time = time
        self.level = level
        self.message = Self.cut(message)
        self.fields = fields.sorted { $0.key < $1.key }.map { (name: $0.key, value: $0.value) }
    }

    /// The entry with its line feed, or feeds.
    func line(as format: LogFormat) -> String {
        switch format {
        case .text: text
        case .json: json
        }
    }

    /// The text, or its beginning and the number of bytes that were cut.
    private static func cut(_ text: String) -> String {
        guard text.utf8.count > longest else { return text }
        let beginning = String(decoding: text.utf8.prefix(longest), as: UTF8.self)
        return "\(beginning)… (\(text.utf8.count - longest) bytes more)"
    }
}

// MARK: A line for people

extension LogEntry {
    private var text: String {
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

    /// A value without quotes.
    private static func plain(_ value: Logger.Metadata.Value) -> String {
        switch value {
        case .string(let text): text
        case .stringConvertible(let value): value.description
        case .array(let values): values.map(plain).joined(separator: ", ")
        case .dictionary(let values):
            values.sorted { $0.key < $1.key }.map { "\($0.key)=\(plain($0.value))" }.joined(separator: ", ")
        }
    }

    /// The text as one word: in quotes if it is empty or has characters that separate words.
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

// MARK: A JSON object for programs

extension LogEntry {
    private var json: String {
        let head = [("time", time), ("level", level.rawValue), ("message", message)]
            .map { "\"\($0.0)\":\(JSONQuoting.quoted($0.1))" }
            .joined(separator: ",")
        let tail = fields.isEmpty ? "" : ",\"fields\":" + Self.object(fields)
        return "{\(head)\(tail)}\n"
    }

    private static func object(_ members: [(name: String, value: Logger.Metadata.Value)]) -> String {
        "{" + members.map { "\(JSONQuoting.quoted(cut($0.name))):\(json($0.value))" }.joined(separator: ",") + "}"
    }

    private static func json(_ value: Logger.Metadata.Value) -> String {
        switch value {
        case .string(let text): JSONQuoting.quoted(cut(text))
        case .stringConvertible(let value): json(value)
        case .array(let values): "[" + values.map(json).joined(separator: ",") + "]"
        case .dictionary(let values):
            object(values.sorted { $0.key < $1.key }.map { (name: $0.key, value: $0.value) })
        }
    }

    /// Numbers and truth values as such, another value as its description.
    private static func json(_ value: any CustomStringConvertible) -> String {
        switch value {
        case let number as any BinaryInteger: number.description
        case let number as Double where number.isFinite: number.description
        case let truth as Bool: truth.description
        default: JSONQuoting.quoted(cut(value.description))
        }
    }
}

/// The time of an entry, in nanoseconds since 1970 by the wall clock.
struct LogTime {
    let nanoseconds: Int64

    @Sendable static func now() -> LogTime { LogTime(nanoseconds: clinux_wall_clock_nanoseconds()) }

    /// `2026-11-22T16:24:22.123Z` (RFC 3339): UTC, to the millisecond.
    var text: String {
        var seconds = time_t(nanoseconds / 1_000_000_000)
        var parts = tm()
        gmtime_r(&seconds, &parts)
        let date =
            "\(Self.padded(Int(parts.tm_year) + 1900, 4))-\(Self.padded(Int(parts.tm_mon) + 1, 2))-\(Self.padded(parts.tm_mday, 2))"
        let clock = "\(Self.padded(parts.tm_hour, 2)):\(Self.padded(parts.tm_min, 2)):\(Self.padded(parts.tm_sec, 2))"
        return "\(date)T\(clock).\(Self.padded(nanoseconds / 1_000_000 % 1_000, 3))Z"
    }

    private static func padded(_ number: some BinaryInteger, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}

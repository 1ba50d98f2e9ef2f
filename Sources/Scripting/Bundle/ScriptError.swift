// A mistake in a script, and its place. The place comes from the text of Lua's message ("chat.lua:12: message") or from
// its traceback. A person sees the line with its number, and a mark below the name that the error is about:
//
//     4 |     return nothing.field
//       |            ^^^^^^^

import LuaBridge

/// An error in a script: when it loads, or in one of its events.
public struct ScriptError: Error, Sendable, Hashable, CustomStringConvertible {
    /// "chat.lua", or "lib/util.lua"; the folder if the error is about the folder; empty if it is about no file.
    public let file: String
    /// The line, counted from 1, if one is known.
    public let line: Int?
    /// The message of Lua or the host, without the place.
    public let message: String
    /// The text of the line.
    public let sourceLine: String?
    /// The calls that led to the place, innermost first, one per line.
    public let traceback: String?
    /// The bundle that was running.
    public let version: UInt64
    /// The reason for which the event was ended, if it did not fail by itself.
    public let kill: ScriptKill?
    /// The handler that was running; "timer" or "server.spawn" for another function of the script; nil if none was
    /// running.
    public internal(set) var handler: String?

    /// Makes an error.
    public init(
        file: String, line: Int? = nil, message: String, sourceLine: String? = nil, traceback: String? = nil,
        version: UInt64, kill: ScriptKill? = nil
    ) {
        self.file = file
        self.line = line
        self.message = message
        self.sourceLine = sourceLine
        self.traceback = traceback
        self.version = version
        self.kill = kill
    }

    /// "chat.lua:12: message", without source line and traceback.
    public var summary: String {
        let place = line.map { "\(file):\($0)" } ?? file
        return place.isEmpty ? message : "\(place): \(message)"
    }

    /// The summary; below it, indented, the source line with its number and a mark, then the handler and the calls that
    /// led to the place.
    public var description: String {
        var below = excerpt.map { $0.split(separator: "\n").map(String.init) } ?? []
        if let handler { below.append("in \(handler), version \(version)") }
        below += (traceback ?? "").split(separator: "\n").map { "  \($0)" }
        return ([summary] + below.map { "    " + $0 }).joined(separator: "\n")
    }
}

/// The errors of all files, not just the first one's.
public struct ScriptErrors: Error, Sendable, CustomStringConvertible {
    /// At least one, in the order of the files, each once.
    public let errors: [ScriptError]

    package init(_ errors: [ScriptError]) {
        var seen: Set<ScriptError> = []
        self.errors = errors.filter { seen.insert($0).inserted }
    }

    /// Each error with its source line and traceback.
    public var description: String {
        errors.map(\.description).joined(separator: "\n")
    }
}

/// The reason for which a handler was ended from outside.
public enum ScriptKill: Sendable, Hashable {
    /// It has used up its CPU time.
    case budget
    /// Loading took too long.
    case load
    /// It waited again after its time was up.
    case timeout
    /// It waited again after its connection was closed.
    case closed

    init?(_ kill: BridgeKill) {
        switch kill {
        case .none: return nil
        case .budget: self = .budget
        case .load: self = .load
        case .timeout: self = .timeout
        case .closed: self = .closed
        }
    }
}

extension ScriptError {
    /// Makes an error from Lua's message and traceback. `file` is named when neither has a place.
    init(message: String, traceback: String, file: String?, bundle: ScriptBundle, kill: ScriptKill? = nil) {
        let named = Self.place(in: message, of: bundle)
        let place = named ?? Self.innermost(traceback, of: bundle)
        self.init(
            file: place?.file.path ?? file ?? "",
            line: place?.line,
            message: named.map { String(message[$0.end...]) } ?? Self.withoutFile(message, file),
            sourceLine: place.flatMap { $0.file.line($0.line) },
            traceback: traceback.isEmpty ? nil : traceback,
            version: bundle.version, kill: kill)
    }

    private struct Place {
        let file: ScriptFile
        let line: Int
        let end: String.Index
    }

    /// The place at the beginning of a text: a file of the bundle and a line number, with a colon after each.
    private static func place(in text: String, of bundle: ScriptBundle) -> Place? {
        guard let fileEnd = text.firstIndex(of: ":") else { return nil }
        let rest = text[text.index(after: fileEnd)...]
        guard let lineEnd = rest.firstIndex(of: ":"), let line = Int(rest[..<lineEnd]), line > 0,
            let file = bundle.file(named: String(text[..<fileEnd]))
        else { return nil }
        let end = rest.index(after: lineEnd)
        return Place(file: file, line: line, end: text[end...].hasPrefix(" ") ? text.index(after: end) : end)
    }

    /// The first place in a traceback, after the calls of C functions.
    private static func innermost(_ traceback: String, of bundle: ScriptBundle) -> Place? {
        for call in traceback.split(separator: "\n") {
            if let place = place(in: String(call), of: bundle) { return place }
        }
        return nil
    }

    private static func withoutFile(_ message: String, _ file: String?) -> String {
        guard let file, message.hasPrefix(file + ": ") else { return message }
        return String(message.dropFirst(file.count + 2))
    }
}

extension ScriptError {
    /// The text of the line with its number. A second line has the mark, if Lua's message quotes a name that stands in
    /// the line exactly once. `nil` when the line is not known.
    public var excerpt: String? {
        guard let line, let sourceLine else { return nil }
        let text = "\(line) | \(sourceLine)"
        guard let mark else { return text }
        // Tabs stay tabs, so that the mark stands below its name however wide they are.
        let indent = sourceLine.utf8.prefix(mark.lowerBound).map { $0 == UInt8(ascii: "\t") ? "\t" : " " }.joined()
        let gutter = String(repeating: " ", count: String(line).utf8.count)
        return text + "\n\(gutter) | " + indent + String(repeating: "^", count: mark.count)
    }

    /// The column of the name that the error is about, counted in bytes from 1.
    public var column: Int? { mark.map { $0.lowerBound + 1 } }

    /// The range, in bytes, of the first name that the message quotes, within the line.
    private var mark: Range<Int>? {
        guard let sourceLine, let name = quotedName else { return nil }
        let (line, word) = (Array(sourceLine.utf8), Array(name.utf8))
        guard !word.isEmpty, line.count >= word.count, line.allSatisfy({ $0 < 0x80 }) else { return nil }
        let places = (0...(line.count - word.count)).filter { start in
            line[start..<(start + word.count)].elementsEqual(word)
                && !(Self.isLetter(word[0]) && start > 0 && Self.isLetter(line[start - 1]))
                && !(Self.isLetter(word[word.count - 1]) && start + word.count < line.count
                    && Self.isLetter(line[start + word.count]))
        }
        let fields = places.filter {
            $0 > 0 && (line[$0 - 1] == UInt8(ascii: ".") || line[$0 - 1] == UInt8(ascii: ":"))
        }
        let isField = ["field '", "method '"].contains { message.contains($0 + name) }
        let candidates = isField ? fields : places
        return candidates.count == 1 ? candidates[0]..<(candidates[0] + word.count) : nil
    }

    /// "x" of "attempt to index a nil value (local 'x')", "= " of "unexpected symbol near '='".
    private var quotedName: String? {
        guard let start = message.firstIndex(of: "'") else { return nil }
        let rest = message[message.index(after: start)...]
        guard let end = rest.firstIndex(of: "'") else { return nil }
        return String(rest[..<end])
    }

    private static func isLetter(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
            true
        default: false
        }
    }
}

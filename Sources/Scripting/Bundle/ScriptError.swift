// What is wrong with a script, and where.

/// An error in a script: when it loads, or in one of its events.
public struct ScriptError: Error, Sendable, Hashable, CustomStringConvertible {
    /// "chat.lua", or "lib/util.lua"; the folder when the error is about that; empty when it is about no file.
    public let file: String
    /// The line, counted from 1, if one is known.
    public let line: Int?
    /// What Lua or the host said, without the place.
    public let message: String
    /// The text of the line.
    public let sourceLine: String?
    /// The calls that led there, innermost first, one per line.
    public let traceback: String?
    /// The bundle that was running.
    public let version: UInt64
    /// Why the event was ended, if it did not fail by itself.
    public let kill: ScriptKill?
    /// The handler that was running, "timer" or "server.spawn" where it was a function of the script's own; nil when it was none.
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

    /// The summary; below it, indented, the source line with its number and a mark, then what ran and the calls that led there.
    public var description: String {
        var below = excerpt.map { $0.split(separator: "\n").map(String.init) } ?? []
        if let handler { below.append("in \(handler), version \(version)") }
        below += (traceback ?? "").split(separator: "\n").map { "  \($0)" }
        return ([summary] + below.map { "    " + $0 }).joined(separator: "\n")
    }
}

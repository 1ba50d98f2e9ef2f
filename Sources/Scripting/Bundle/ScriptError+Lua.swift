// Finding the place in what Lua says: "chat.lua:12: message".

extension ScriptError {
    /// Makes an error of Lua's message and traceback. `file` is the one to name when neither says where.
    init(message: String, traceback: String, file: String?, bundle: ScriptBundle) {
        let place = Self.place(in: message) ?? Self.place(in: traceback)
        let found = place.flatMap { bundle.file(named: $0.file) }
        let line = place?.line
        let isNamed = Self.place(in: message) != nil && found != nil
        self.init(
            file: found?.path ?? file ?? "",
            line: found == nil ? nil : line,
            message: isNamed ? String(message[(place?.end ?? message.startIndex)...]) : Self.withoutFile(message, file),
            sourceLine: line.flatMap { found?.line($0) },
            traceback: traceback.isEmpty ? nil : traceback,
            version: bundle.version)
    }

    private struct Place {
        let file: String
        let line: Int
        let end: String.Index
    }

    /// The place that a text begins with: a file name, a line number, and a colon after each.
    private static func place(in text: String) -> Place? {
        guard let fileEnd = text.firstIndex(of: ":") else { return nil }
        let rest = text[text.index(after: fileEnd)...]
        guard let lineEnd = rest.firstIndex(of: ":"), let line = Int(rest[..<lineEnd]), line > 0 else { return nil }
        let end = rest.index(after: lineEnd)
        return Place(
            file: String(text[..<fileEnd]), line: line,
            end: end < text.endIndex && text[end] == " " ? text.index(after: end) : end)
    }

    private static func withoutFile(_ message: String, _ file: String?) -> String {
        guard let file, message.hasPrefix(file + ": ") else { return message }
        return String(message.dropFirst(file.count + 2))
    }
}

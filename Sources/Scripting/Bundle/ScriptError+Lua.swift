// Finding the place in what Lua says: "chat.lua:12: message".

extension ScriptError {
    /// Makes an error of Lua's message and traceback. `file` is the one to name when neither says where.
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

    /// The place that a text begins with: a file of the bundle and a line number, with a colon after each.
    private static func place(in text: String, of bundle: ScriptBundle) -> Place? {
        guard let fileEnd = text.firstIndex(of: ":") else { return nil }
        let rest = text[text.index(after: fileEnd)...]
        guard let lineEnd = rest.firstIndex(of: ":"), let line = Int(rest[..<lineEnd]), line > 0,
            let file = bundle.file(named: String(text[..<fileEnd]))
        else { return nil }
        let end = rest.index(after: lineEnd)
        return Place(file: file, line: line, end: text[end...].hasPrefix(" ") ? text.index(after: end) : end)
    }

    /// The first place in a traceback, behind the calls of C.
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

// The admin API's answer to a reload, for people: `perigee reload` prints it.

import JSON

/// The answer to a reload or a rollback.
public struct ReloadAnswer: Sendable {
    /// Whether other scripts are live now.
    public let succeeded: Bool
    /// The outcome, on one or more lines.
    public let text: String

    /// Reads an answer; one that is none is shown as it is.
    public init(status: Int, body: String) {
        succeeded = status == 200
        text = (succeeded ? Self.success(body) : Self.failure(body)) ?? body
    }

    private static func success(_ body: String) -> String? {
        guard let answer = try? JSON(parsing: body), let version = answer["version"]?.int,
            let changed = texts(answer["changed"])
        else { return nil }
        let origin = answer["rolledBackTo"]?.int.map { ", which is version \($0) again" } ?? ""
        let files = changed.isEmpty ? "no file has changed" : "changed: \(changed.joined(separator: " "))"
        let first = "version \(version) is live\(origin); \(files)"
        return ([first] + (texts(answer["late"]) ?? [])).joined(separator: "\n")
    }

    private static func failure(_ body: String) -> String? {
        guard let error = (try? JSON(parsing: body))?["error"], error.object != nil else { return nil }
        if let errors = error["errors"]?.array, !errors.isEmpty {
            return errors.map { describe($0) }.joined(separator: "\n")
        }
        return [error["message"]?.string, error["hint"]?.string].compactMap(\.self).joined(separator: "\n")
    }

    /// As the log and `perigee check` show it: place and message, source line, traceback.
    private static func describe(_ error: JSON) -> String {
        guard error.object != nil else { return error.description }
        let line = error["line"]?.int
        let place = [error["file"]?.string, line.map(String.init)].compactMap(\.self).filter { !$0.isEmpty }
        let message = error["message"]?.string ?? ""
        var lines = [place.isEmpty ? message : place.joined(separator: ":") + ": " + message]
        if let line, let source = error["sourceLine"]?.string { lines.append("    \(line) | \(source)") }
        if let traceback = error["traceback"]?.string, !traceback.isEmpty { lines.append(traceback) }
        return lines.joined(separator: "\n")
    }

    /// The elements of an array of strings.
    private static func texts(_ list: JSON?) -> [String]? {
        guard let elements = list?.array else { return nil }
        let texts = elements.compactMap(\.string)
        return texts.count == elements.count ? texts : nil
    }
}

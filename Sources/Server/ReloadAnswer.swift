// What the admin API answers to a reload, for people: `perigee reload` prints it.

/// The answer to a reload or a rollback.
public struct ReloadAnswer: Sendable {
    /// Whether other scripts are live now.
    public let succeeded: Bool
    /// What happened, on one or more lines.
    public let text: String

    /// Reads an answer; one that is none is shown as it is.
    public init(status: Int, body: String) {
        succeeded = status == 200
        text = (succeeded ? Self.success(body) : Self.failure(body)) ?? body
    }

    private static func success(_ body: String) -> String? {
        guard let answer = try? JSONReader.members(of: Array(body.utf8)), let version = answer["version"]?.json,
            case .strings(let changed)? = answer["changed"]?.value
        else { return nil }
        let origin = answer["rolledBackTo"].map { ", which is version \($0.json) again" } ?? ""
        let files = changed.isEmpty ? "no file has changed" : "changed: \(changed.joined(separator: " "))"
        guard case .strings(let late)? = answer["late"]?.value else {
            return "version \(version) is live\(origin); \(files)"
        }
        return (["version \(version) is live\(origin); \(files)"] + late).joined(separator: "\n")
    }

    private static func failure(_ body: String) -> String? {
        guard let answer = try? JSONReader.members(of: Array(body.utf8)), let json = answer["error"]?.json,
            let error = try? JSONReader.members(of: Array(json.utf8))
        else { return nil }
        if let list = error["errors"]?.json, let errors = try? JSONReader.elements(of: Array(list.utf8)),
            !errors.isEmpty
        {
            return errors.map { describe($0) }.joined(separator: "\n")
        }
        return [string(error["message"]), string(error["hint"])].compactMap(\.self).joined(separator: "\n")
    }

    /// As the log and `perigee check` show it: place and message, source line, traceback.
    private static func describe(_ json: [UInt8]) -> String {
        guard let error = try? JSONReader.members(of: json) else { return String(decoding: json, as: UTF8.self) }
        let line = error["line"].flatMap { Int($0.json) }
        let place = [string(error["file"]), line.map(String.init)].compactMap(\.self).filter { !$0.isEmpty }
        var lines = [(place + [" " + (string(error["message"]) ?? "")]).joined(separator: ":").trimmed]
        if let line, let source = string(error["sourceLine"]) { lines.append("    \(line) | \(source)") }
        if let traceback = string(error["traceback"]), !traceback.isEmpty { lines.append(traceback) }
        return lines.joined(separator: "\n")
    }

    private static func string(_ member: (value: JSONReader.Value, json: String)?) -> String? {
        if case .string(let text)? = member?.value { text } else { nil }
    }
}

extension String {
    fileprivate var trimmed: String { hasPrefix(" ") ? String(dropFirst()) : self }
}

// An entry as one JSON object on one line:
//
//     {"time":"2026-11-22T16:24:22.123Z","level":"info","message":"script loaded","fields":{"version":7}}
//
// Fields are an object of their own: scripts name them, and must not be able to name one `level`.

import JSON
internal import Logging

extension LogEntry {
    /// The entry with its line feed.
    var json: String {
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

    /// Numbers and truth values as such, everything else as its description.
    private static func json(_ value: any CustomStringConvertible) -> String {
        switch value {
        case let number as any BinaryInteger: number.description
        case let number as Double where number.isFinite: number.description
        case let truth as Bool: truth.description
        default: JSONQuoting.quoted(cut(value.description))
        }
    }
}

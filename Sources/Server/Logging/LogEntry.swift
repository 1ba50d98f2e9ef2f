// One log entry and the two ways it is written. Fields are sorted by name, so that equal entries are equal text.
//
// Read next: LogEntry+Text.swift, LogEntry+JSON.swift

internal import Logging

/// What one log entry says.
struct LogEntry {
    let time: String
    let level: Logger.Level
    let message: String
    let fields: [(name: String, value: Logger.Metadata.Value)]

    /// Longer messages and values are cut, in UTF-8 bytes: what a peer or a script says must not fill a disk in one
    /// line.
    static let longest = 8 << 10

    init(time: String, level: Logger.Level, message: String, fields: Logger.Metadata) {
        self.time = time
        self.level = level
        self.message = Self.cut(message)
        self.fields = fields.sorted { $0.key < $1.key }.map { (name: $0.key, value: $0.value) }
    }

    /// The entry with its line feed, or feeds.
    func line(as format: Configuration.Log.Format) -> String {
        switch format {
        case .text: text
        case .json: json
        }
    }

    /// The text, or its beginning and how much more there was.
    static func cut(_ text: String) -> String {
        guard text.utf8.count > longest else { return text }
        let beginning = String(decoding: text.utf8.prefix(longest), as: UTF8.self)
        return "\(beginning)… (\(text.utf8.count - longest) bytes more)"
    }
}

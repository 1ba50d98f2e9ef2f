// Turns log entries into lines and queues each for the thread that writes the log: a thread that logs never waits for the reader of
// the log. Text from peers and scripts cannot end a line, start an escape sequence or exceed its share: `LogEntry` escapes and cuts
// it.
//
// Runs on: any thread
// Allocates: for each entry that is written; an entry below the level costs nothing
// Read next: LogEntry.swift, LogOutput.swift

public import Logging

/// How an entry is written: a line for people, or a JSON object for programs.
public enum LogFormat: String, Sendable, CaseIterable {
    /// A line for people: time, level, message, `key=value` fields.
    case text
    /// One JSON object on one line.
    case json
}

/// A log handler that writes each entry to an output, in the output's format.
public struct LineLogHandler: LogHandler {
    /// The least severe level that is written.
    public var logLevel: Logger.Level
    /// Fields of every entry.
    public var metadata: Logger.Metadata = [:]
    /// Gives further fields of every entry when it is written; the entry's own fields replace them.
    public var metadataProvider: Logger.MetadataProvider?
    private let output: LogOutput

    /// A handler that writes entries of this level and of more severe ones to the output.
    public init(level: Logger.Level, to output: LogOutput) {
        self.logLevel = level
        self.output = output
    }

    /// One of the fields of every entry.
    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    /// Queues an entry to be written.
    public func log(event: LogEvent) {
        let entry = LogEntry(
            time: output.clock().text, level: event.level, message: event.message.description, fields: fields(of: event)
        )
        output.write(entry.line(as: output.format))
    }

    private func fields(of event: LogEvent) -> Logger.Metadata {
        var fields = metadata
        if let provided = metadataProvider?.get() { fields.merge(provided) { $1 } }
        if let own = event.metadata { fields.merge(own) { $1 } }
        if let error = event.error { fields["error"] = fields["error"] ?? "\(error)" }
        return fields
    }
}

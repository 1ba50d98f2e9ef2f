// Turns log entries into lines and queues each for the thread that writes the log, so that nobody who logs waits for whoever reads
// the log. What peers and scripts say cannot end a line, start an escape sequence or be longer than its share: `LogEntry` sees to
// that.
//
// Runs on: any thread
// Allocates: for each entry that is written; an entry below the level costs nothing
// Read next: LogEntry.swift, LogOutput.swift

public import Logging

/// A log handler that writes one entry as one line: text for people, JSON for programs.
public struct LineLogHandler: LogHandler {
    /// The least severe level that is written.
    public var logLevel: Logger.Level
    /// Fields of every entry.
    public var metadata: Logger.Metadata = [:]
    /// Fields of every entry, asked for when it is written; they give way to the entry's own.
    public var metadataProvider: Logger.MetadataProvider?
    private let format: Configuration.Log.Format
    private let output: LogOutput
    private let clock: @Sendable () -> LogTime

    /// A handler for a level and format, which writes to the output.
    public init(_ log: Configuration.Log, to output: LogOutput) {
        self.init(log, to: output, clock: LogTime.now)
    }

    /// A handler whose entries have the clock's time.
    init(_ log: Configuration.Log, to output: LogOutput, clock: @escaping @Sendable () -> LogTime) {
        self.logLevel = log.level
        self.format = log.format
        self.output = output
        self.clock = clock
    }

    /// One of the fields of every entry.
    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    /// Queues an entry to be written.
    public func log(event: LogEvent) {
        let entry = LogEntry(
            time: clock().text, level: event.level, message: event.message.description,
            fields: fields(of: event))
        output.write(entry.line(as: format))
    }

    private func fields(of event: LogEvent) -> Logger.Metadata {
        var fields = metadata
        if let provided = metadataProvider?.get() { fields.merge(provided) { $1 } }
        if let own = event.metadata { fields.merge(own) { $1 } }
        if let error = event.error { fields["error"] = fields["error"] ?? "\(error)" }
        return fields
    }
}

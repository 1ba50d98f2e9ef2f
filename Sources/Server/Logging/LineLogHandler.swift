// Writes log entries to a file descriptor, standard error by default, each with one write, so that entries of several
// threads do not mix. What peers and scripts say cannot end a line, start an escape sequence or be longer than its
// share: `LogEntry` sees to that.
//
// Runs on: any thread
// Allocates: for each entry that is written; an entry below the level costs nothing
// Read next: LogEntry.swift

internal import Glibc
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
    private let descriptor: Int32
    private let clock: @Sendable () -> LogTime

    /// A handler for a level and format.
    ///
    /// - Parameter descriptor: Where to write, standard error by default; it must stay open as long as the handler is
    ///   used. What cannot be written is dropped.
    public init(_ log: Configuration.Log, descriptor: Int32 = 2) {
        self.init(log, descriptor: descriptor, clock: LogTime.now)
    }

    /// A handler whose entries have the clock's time.
    init(_ log: Configuration.Log, descriptor: Int32, clock: @escaping @Sendable () -> LogTime) {
        self.logLevel = log.level
        self.format = log.format
        self.descriptor = descriptor
        self.clock = clock
    }

    /// One of the fields of every entry.
    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    /// Writes an entry.
    public func log(event: LogEvent) {
        let entry = LogEntry(
            time: clock().text, level: event.level, message: event.message.description,
            fields: fields(of: event))
        let line =
            switch format {
            case .text: entry.text
            case .json: entry.json
            }
        write(line)
    }

    private func fields(of event: LogEvent) -> Logger.Metadata {
        var fields = metadata
        if let provided = metadataProvider?.get() { fields.merge(provided) { $1 } }
        if let own = event.metadata { fields.merge(own) { $1 } }
        if let error = event.error { fields["error"] = fields["error"] ?? "\(error)" }
        return fields
    }

    private func write(_ line: String) {
        var line = line
        line.withUTF8 { bytes in
            var rest = UnsafeRawBufferPointer(bytes)
            while !rest.isEmpty {
                let count = Glibc.write(descriptor, rest.baseAddress, rest.count)
                if count < 0 && errno == EINTR { continue }
                // There is no better place to report that the log cannot be written.
                guard count > 0 else { return }
                rest = UnsafeRawBufferPointer(rebasing: rest[count...])
            }
        }
    }
}

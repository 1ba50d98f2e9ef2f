// RecordedLog: a server's log that a test reads, and waits for.
//
// Runs on: any thread.

import CLinux
import Glibc
import Logging
import Synchronization

/// The entries of one server's log.
public final class RecordedLog: Sendable {
    private let entries = Mutex<[String]>([])
    /// An eventfd that counts entries, so that `wait` waits in `poll`.
    private let bell: Int32

    init() { bell = clinux_eventfd() }

    deinit { close(bell) }

    /// A logger of all levels that writes to this log.
    func logger() -> Logger {
        var logger = Logger(label: "test") { _ in Handler(log: self) }
        logger.logLevel = .trace
        return logger
    }

    /// Every entry so far: level, message, and metadata as `key=value`, sorted.
    public var lines: [String] { entries.withLock { $0 } }

    /// Waits for the first entry that contains `text`.
    /// - Throws: after `timeout`, with the entries so far.
    @discardableResult
    public func wait(for text: String, timeout: Duration = .seconds(10)) throws(ClientError) -> String {
        let deadline = Deadline(after: timeout)
        while true {
            if let line = lines.first(where: { $0.contains(text) }) { return line }
            guard try deadline.wait(for: POLLIN, on: bell) else {
                throw .deadline(
                    waitingFor: "a log entry with '\(text)'", got: Array(lines.joined(separator: "\n").utf8))
            }
            var count: UInt64 = 0
            _ = read(bell, &count, 8)
        }
    }

    fileprivate func append(_ line: String) {
        entries.withLock { $0.append(line) }
        var one: UInt64 = 1
        _ = write(bell, &one, 8)
    }

    private struct Handler: LogHandler {
        let log: RecordedLog
        var logLevel = Logger.Level.trace
        var metadata: Logger.Metadata = [:]

        init(log: RecordedLog) { self.log = log }

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            let fields = metadata.merging(event.metadata ?? [:]) { $1 }
            let text = fields.map { "\($0.key)=\($0.value)" }.sorted().joined(separator: " ")
            log.append("\(event.level) \(event.message) \(text)")
        }
    }
}

// The last distinct mistakes of scripts, counted, for the admin API: an operator need not read the log.
//
// Runs on: any thread; workers come here only when a handler has failed.

package import Logging
package import Scripting
import Synchronization

/// Script errors by place, message and handler.
package final class ScriptErrorLog: Sendable {
    /// A mistake, as it happened last, with its count.
    package struct Entry: Sendable {
        package var error: ScriptError
        package var count: UInt64
        /// Seconds since 1970.
        package let firstSeen: Int
        package var lastSeen: Int
        /// The connection whose event it was the last time.
        package var connection: String?
        /// Where it stands in the order of last times.
        fileprivate var order: UInt64
    }

    private struct Key: Hashable {
        let file: String
        let line: Int?
        let message: String
        let handler: String?
    }

    private struct State {
        var entries: [Key: Entry] = [:]
        var noted: UInt64 = 0
        var forgotten: UInt64 = 0
    }

    /// The most entries that are kept; the entry that has not happened for longest gives way.
    static let limit = 100

    private let state = Mutex(State())

    func note(_ error: ScriptError, connection: String?, now: Int) {
        let key = Key(file: error.file, line: error.line, message: error.message, handler: error.handler)
        state.withLock { state in
            state.noted += 1
            var entry =
                state.entries[key]
                ?? Entry(error: error, count: 0, firstSeen: now, lastSeen: now, connection: nil, order: 0)
            entry.error = error
            entry.count += 1
            entry.lastSeen = now
            entry.connection = connection
            entry.order = state.noted
            state.entries[key] = entry
            guard state.entries.count > Self.limit else { return }
            if let oldest = state.entries.min(by: { $0.value.order < $1.value.order })?.key {
                state.entries[oldest] = nil
                state.forgotten += 1
            }
        }
    }

    /// The entries, the newest first, and the number of distinct ones that have given way.
    package var contents: (entries: [Entry], forgotten: UInt64) {
        state.withLock { state in
            (state.entries.values.sorted { $0.order > $1.order }, state.forgotten)
        }
    }
}

extension ScriptError {
    /// The fields of a log entry about this error.
    package var metadata: Logger.Metadata {
        var metadata: Logger.Metadata = ["version": "\(version)"]
        if let handler { metadata["handler"] = "\(handler)" }
        if let excerpt { metadata["source"] = "\(excerpt)" }
        if let traceback, !traceback.isEmpty { metadata["traceback"] = "\(traceback)" }
        return metadata
    }
}

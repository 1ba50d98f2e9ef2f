// The thread that reads. It has a connection of its own, which can only read, so that a long read holds no writer up; each read is
// bounded by its query, so that it does not hold the log for long.
//
// Runs on: a thread of its own.
// Read next: PageReader.swift.

import EventLoop
import Synchronization

/// The reader's connection.
final class ReadFile: @unchecked Sendable {
    // `@unchecked Sendable` because it is only used under the lock of `HistoryShared.readFile`.
    /// Counts the files that the writer has opened.
    let number: UInt64
    private let connection: Connection
    private let pages: PageReader
    private let options: HistoryOptions

    init(_ options: HistoryOptions, generation: UInt64, number: UInt64) throws(HistoryTrouble) {
        self.options = options
        self.number = number
        do throws(SQLiteFailure) {
            connection = try Connection(options.file, .readOnly)
            try connection.execute("PRAGMA busy_timeout = \(HistoryBounds.busyPatience); PRAGMA cache_size = -8192")
            pages = try PageReader(connection, generation: generation)
        } catch {
            throw HistoryTrouble(error, file: options.file, maxFile: options.maxFile)
        }
    }

    /// Reads, as of one moment.
    func page(_ query: StoreQuery) throws(HistoryTrouble) -> StoredPage {
        do throws(SQLiteFailure) {
            try connection.execute("BEGIN")
            defer { try? connection.execute("ROLLBACK") }
            return try pages.page(query, now: options.clock())
        } catch {
            throw HistoryTrouble(error, file: options.file, maxFile: options.maxFile)
        }
    }

    func close() { connection.close() }
}

/// The reader's thread.
enum HistoryReader {
    static func run(_ shared: HistoryShared) {
        while true {
            for order in shared.reader.wait() {
                switch order {
                case .close: return shared.writer.post(.readerGone)
                case .read(let query, let isInOrder, let then): read(query, isInOrder, then, shared)
                }
            }
        }
    }

    private static func read(
        _ query: StoreQuery, _ isInOrder: Bool, _ then: @escaping HistoryAnswer<StoredPage>, _ shared: HistoryShared
    ) {
        shared.count { $0.reads += 1 }
        let result = shared.readFile.withLock { file -> Result<StoredPage, HistoryFailure> in
            guard let file else { return .failure(unavailable(shared)) }
            do throws(HistoryTrouble) {
                return .success(try file.page(query))
            } catch {
                shared.writer.post(.trouble(error, file: file.number))
                return .failure(.unavailable(why: error.why))
            }
        }
        if isInOrder, case .success(let page) = result {
            return shared.writer.post(.complete(query, page, then: then))
        }
        shared.requestDone()
        then(result)
    }

    private static func unavailable(_ shared: HistoryShared) -> HistoryFailure {
        switch shared.state {
        case .unavailable(let why), .corrupt(let why): .unavailable(why: why)
        case .opening, .open: .unavailable(why: "the history is being opened")
        case .closed: .unavailable(why: "the history is closed")
        }
    }
}

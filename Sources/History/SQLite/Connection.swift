// The thinnest border to SQLite: a connection and its statements. Every result code that is not a success becomes a
// `SQLiteFailure` here, and no other file of the server includes SQLite.
//
// Runs on: the thread that uses it, one at a time; `interrupt` on any thread, while the connection is open.

import CSQLite

/// A failure as SQLite reports it.
struct SQLiteFailure: Error {
    /// The extended result code.
    let code: Int32
    let message: String

    /// The result code without its details.
    var primary: Int32 { code & 0xFF }

    /// A file whose content cannot be ours.
    static func damage(_ message: String) -> SQLiteFailure { SQLiteFailure(code: SQLITE_CORRUPT, message: message) }

    /// A database of another program.
    static var foreign: SQLiteFailure { SQLiteFailure(code: foreignCode, message: "") }
    var isForeign: Bool { code == Self.foreignCode }

    /// A history of a newer version.
    static func newer(_ schema: Int64) -> SQLiteFailure { SQLiteFailure(code: newerCode, message: "\(schema)") }
    var newerSchema: Int64? { code == Self.newerCode ? Int64(message) : nil }

    /// A file system on which there can be no log.
    static func noLog(_ mode: String) -> SQLiteFailure {
        SQLiteFailure(code: SQLITE_CANTOPEN, message: "the journal mode stays \(mode)")
    }

    // SQLite has no negative codes.
    private static var foreignCode: Int32 { -1 }
    private static var newerCode: Int32 { -2 }

    private init(code: Int32, message: String) {
        self.code = code
        self.message = message
    }

    init(_ code: Int32, _ handle: OpaquePointer?) {
        self.code = code
        message = String(cString: handle.map { sqlite3_errmsg($0) } ?? sqlite3_errstr(code))
    }
}

/// A connection to a database file.
final class Connection {
    /// How a file is opened.
    enum Access {
        /// The file is made if there is none.
        case readWrite
        case readOnly
    }

    private let handle: OpaquePointer
    private var isOpen = true

    init(_ path: String, _ access: Access) throws(SQLiteFailure) {
        let flags =
            switch access {
            case .readWrite: SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
            case .readOnly: SQLITE_OPEN_READONLY
            }
        var opened: OpaquePointer?
        let code = sqlite3_open_v2(path, &opened, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, nil)
        guard code == SQLITE_OK, let opened else {
            defer { sqlite3_close_v2(opened) }
            throw SQLiteFailure(code, opened)
        }
        handle = opened
    }

    deinit { close() }

    /// Finalizes every statement and closes the file. Statements of this connection must not be used afterwards.
    func close() {
        guard isOpen else { return }
        isOpen = false
        while let statement = sqlite3_next_stmt(handle, nil) { sqlite3_finalize(statement) }
        sqlite3_close_v2(handle)
    }

    /// Runs statements without parameters and results.
    func execute(_ text: String) throws(SQLiteFailure) {
        let code = sqlite3_exec(handle, text, nil, nil, nil)
        guard code == SQLITE_OK else { throw SQLiteFailure(code, handle) }
    }

    /// A statement for many runs; it lives as long as the connection.
    func prepare(_ text: String) throws(SQLiteFailure) -> Statement {
        var statement: OpaquePointer?
        let code = sqlite3_prepare_v3(handle, text, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &statement, nil)
        guard code == SQLITE_OK, let statement else { throw SQLiteFailure(code, handle) }
        return Statement(statement, of: handle)
    }

    /// The first column of the first row; nil without a row.
    func first(_ text: String) throws(SQLiteFailure) -> String? {
        let statement = try prepare(text)
        defer { statement.finalize() }
        return try statement.step() ? statement.text(0) : nil
    }

    /// Whether a transaction is open.
    var isInTransaction: Bool { sqlite3_get_autocommit(handle) == 0 }

    /// Copies the log into the file, as far as no reader needs the old state.
    /// - Parameter empties: whether to wait for readers, and to cut the log to nothing.
    /// - Returns: the frames in the log, and those of them that are in the file now.
    func checkpoint(empties: Bool) throws(SQLiteFailure) -> (frames: Int, copied: Int) {
        var (frames, copied): (Int32, Int32) = (0, 0)
        let mode = empties ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_PASSIVE
        let code = sqlite3_wal_checkpoint_v2(handle, nil, mode, &frames, &copied)
        guard code == SQLITE_OK else { throw SQLiteFailure(code, handle) }
        return (Int(frames), Int(copied))
    }

    /// Notes the frames in the log after each commit, in place of SQLite's own checkpoints.
    /// - Parameter frames: where to note them; lives longer than the connection.
    func noteFrames(in frames: UnsafeMutablePointer<Int32>) {
        sqlite3_wal_hook(
            handle,
            { frames, _, _, count in
                frames!.assumingMemoryBound(to: Int32.self).pointee = count
                return SQLITE_OK
            }, frames)
    }

    /// Ends what another thread runs on this connection.
    func interrupt() { sqlite3_interrupt(handle) }
}

/// A prepared statement. It is reset after each run, so that it holds no lock.
struct Statement {
    private let pointer: OpaquePointer
    private let handle: OpaquePointer

    fileprivate init(_ pointer: OpaquePointer, of handle: OpaquePointer) {
        self.pointer = pointer
        self.handle = handle
    }

    func bind(_ index: Int32, _ value: Int64) throws(SQLiteFailure) {
        try check(sqlite3_bind_int64(pointer, index, value))
    }

    /// Binds a copy of the bytes.
    func bind(_ index: Int32, _ bytes: [UInt8]) throws(SQLiteFailure) {
        try check(bytes.withUnsafeBytes { perigee_sqlite_bind_copy(pointer, index, $0.baseAddress, UInt64($0.count)) })
    }

    func bind(_ index: Int32, text: String) throws(SQLiteFailure) {
        try check(sqlite3_bind_text(pointer, index, text, -1, unsafeBitCast(-1, to: sqlite3_destructor_type.self)))
    }

    /// Goes to the next row; false when there is none.
    func step() throws(SQLiteFailure) -> Bool {
        switch sqlite3_step(pointer) {
        case SQLITE_ROW: return true
        case SQLITE_DONE: return false
        case let code: throw SQLiteFailure(code, handle)
        }
    }

    /// Runs a statement without rows.
    func run() throws(SQLiteFailure) {
        defer { reset() }
        _ = try step()
    }

    /// Binds the bytes as they are, without a copy, and runs a statement without rows.
    func run(lastBlob bytes: [UInt8], at index: Int32) throws(SQLiteFailure) {
        let code = bytes.withUnsafeBytes { view in
            defer {
                sqlite3_reset(pointer)
                sqlite3_bind_null(pointer, index)
            }
            let code = perigee_sqlite_bind_view(pointer, index, view.baseAddress, UInt64(view.count))
            return code == SQLITE_OK ? sqlite3_step(pointer) : code
        }
        guard code == SQLITE_DONE || code == SQLITE_ROW else { throw SQLiteFailure(code, handle) }
    }

    /// Ends the run; the next one binds anew.
    func reset() { sqlite3_reset(pointer) }

    func finalize() { sqlite3_finalize(pointer) }

    func integer(_ column: Int32) -> Int64 { sqlite3_column_int64(pointer, column) }

    func isNull(_ column: Int32) -> Bool { sqlite3_column_type(pointer, column) == SQLITE_NULL }

    func text(_ column: Int32) -> String? { sqlite3_column_text(pointer, column).map { String(cString: $0) } }

    /// A copy of the bytes.
    func bytes(_ column: Int32) -> [UInt8] {
        guard let start = sqlite3_column_blob(pointer, column) else { return [] }
        return Array(UnsafeRawBufferPointer(start: start, count: Int(sqlite3_column_bytes(pointer, column))))
    }

    func byteCount(_ column: Int32) -> Int { Int(sqlite3_column_bytes(pointer, column)) }

    /// Rows that the last change on this connection touched.
    var changes: Int { Int(sqlite3_changes64(handle)) }

    private func check(_ code: Int32) throws(SQLiteFailure) {
        guard code == SQLITE_OK else { throw SQLiteFailure(code, handle) }
    }
}

// How a file is opened: whose it is, which schema it has, and whether the positions that were handed out of it are all still
// there. If they may not be, it gets a new generation, and with it every channel gets a new epoch.
//
// Runs on: the writer.

import Glibc

extension HistoryFile {
    /// Opens the file, or makes it.
    static func begin(_ options: HistoryOptions) throws(HistoryTrouble) -> HistoryFile {
        // The pages that an earlier process wrote without `fsync` become safe. SQLite must not have the file open: its locks would end when
        // this descriptor is closed.
        for path in [options.file, options.file + "-wal"] { persist(path) }
        do throws(SQLiteFailure) {
            let connection = try Connection(options.file, .readWrite)
            do throws(SQLiteFailure) {
                try configure(connection, options)
                let isNew = try makeTables(connection)
                let before = isNew ? nil : try Meta.read(connection)
                let meta = next(after: before, options)
                try connection.execute("BEGIN IMMEDIATE")
                try meta.write(connection)
                try connection.execute("COMMIT; PRAGMA synchronous = \(options.sync.rawValue)")
                persist(HistoryTrouble.folder(of: options.file))
                return try HistoryFile(
                    connection, options, meta: meta,
                    opening: Opening(
                        wasUnclean: before.map { !$0.isClean } ?? false,
                        isNewEpoch: before.map { $0.generation != meta.generation } ?? false))
            } catch {
                connection.close()
                throw error
            }
        } catch {
            if error.isForeign { throw .foreign(options.file) }
            if let schema = error.newerSchema {
                throw .newer(options.file, schema: schema, known: Schema.version)
            }
            throw HistoryTrouble(error, file: options.file, maxFile: options.maxFile)
        }
    }

    private static func configure(_ connection: Connection, _ options: HistoryOptions) throws(SQLiteFailure) {
        try connection.execute("PRAGMA busy_timeout = \(HistoryBounds.busyPatience)")
        // Before the first page is written.
        try connection.execute("PRAGMA auto_vacuum = NONE")
        let schema = Int64(try connection.first("PRAGMA user_version") ?? "") ?? 0
        let application = Int64(try connection.first("PRAGMA application_id") ?? "") ?? 0
        let isEmpty = try connection.first("SELECT 1 FROM sqlite_schema") == nil
        guard application == Schema.application || isEmpty else { throw .foreign }
        guard schema <= Schema.version else { throw .newer(schema) }
        let mode = try connection.first("PRAGMA journal_mode = WAL") ?? ""
        guard mode == "wal" else { throw .noLog(mode) }
        // Deleted rows are not overwritten: that would double the writing of a history at its limit.
        try connection.execute(
            """
            PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0; PRAGMA journal_size_limit = \(HistoryBounds.checkpoint);
            PRAGMA secure_delete = OFF; PRAGMA cache_size = -16384; PRAGMA temp_store = MEMORY; PRAGMA trusted_schema = OFF
            """)
        if options.maxFile > 0 {
            try connection.execute("PRAGMA max_page_count = \(max(32, options.maxFile / 4_096))")
        }
    }

    /// True when the file is new.
    private static func makeTables(_ connection: Connection) throws(SQLiteFailure) -> Bool {
        guard try connection.first("PRAGMA user_version") == "0" else { return false }
        try connection.execute("BEGIN IMMEDIATE; \(Schema.tables)")
        try Meta(generation: .random(in: 1 ... .max), bootID: [], sync: [], isClean: true, era: 0).write(connection)
        try connection.execute("COMMIT")
        return true
    }

    /// The facts while the file is open. They are on the disk before the first position is handed out.
    private static func next(after before: Meta?, _ options: HistoryOptions) -> Meta {
        let (boot, sync) = (Array((options.bootID ?? "").utf8), Array(options.sync.rawValue.utf8))
        guard let before else {
            return Meta(
                generation: .random(in: 1 ... .max), bootID: boot, sync: sync, isClean: false,
                era: .random(in: 0 ... .max))
        }
        // A process that was killed has lost nothing, for the system has what it wrote. A system that stopped may have lost what was
        // not written with `fsync`.
        let isWhole =
            before.isClean || before.sync == Array(HistorySync.full.rawValue.utf8)
            || (before.bootID == boot && !boot.isEmpty)
        return Meta(
            generation: isWhole ? before.generation : .random(in: 1 ... .max), bootID: boot, sync: sync, isClean: false,
            era: before.era)
    }

    /// Writes a file or folder to the disk, if it exists.
    static func persist(_ path: String) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        fsync(descriptor)
        Glibc.close(descriptor)
    }
}

/// What was found when the file was opened.
struct Opening: Equatable {
    /// The process that had it open before did not close it.
    let wasUnclean: Bool
    let isNewEpoch: Bool
}

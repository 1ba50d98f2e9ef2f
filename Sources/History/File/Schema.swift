// The tables of the file, and the facts about the whole of it.
//
// Publications are a log by `seq` and not clustered by channel: a transaction with publications to many channels writes the log's
// last pages, and not a page for each channel. `place` finds them by channel and offset.
//
// An epoch is made from the channel's seed and the file's generation. So one write, a new generation, changes the epochs of all
// channels, and a channel that nobody has published to has an epoch although it has no row.

/// The schema and the facts in `meta`.
enum Schema {
    /// Counted up with each change that an older version could not work with.
    static let version: Int64 = 1
    /// Marks the file as ours: "PgHi".
    static let application: Int64 = 0x5067_4869

    static let tables = """
        PRAGMA application_id = \(application);
        PRAGMA user_version = \(version);
        CREATE TABLE meta(name TEXT PRIMARY KEY, value) WITHOUT ROWID;
        CREATE TABLE channel(
            id INTEGER PRIMARY KEY, name BLOB NOT NULL UNIQUE, seed INTEGER NOT NULL, base INTEGER NOT NULL,
            size INTEGER NOT NULL, age INTEGER NOT NULL, due INTEGER NOT NULL);
        CREATE INDEX due ON channel(due);
        CREATE TABLE publication(
            seq INTEGER PRIMARY KEY, channel INTEGER NOT NULL, offset INTEGER NOT NULL, at INTEGER NOT NULL,
            flags INTEGER NOT NULL, note BLOB NOT NULL, body BLOB NOT NULL);
        CREATE UNIQUE INDEX place ON publication(channel, offset);
        CREATE TABLE answered(
            key BLOB PRIMARY KEY, digest BLOB NOT NULL, offset INTEGER NOT NULL, epoch INTEGER NOT NULL,
            expires INTEGER NOT NULL) WITHOUT ROWID;
        CREATE INDEX expiry ON answered(expires);
        """

    /// The seed of a channel without a row. `era` changes whenever rows are forgotten, so a channel that comes back has another.
    static func seed(_ channel: [UInt8], era: Int64) -> UInt64 {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in channel { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        return mix(hash ^ mix(UInt64(bitPattern: era)))
    }

    static func epoch(seed: UInt64, generation: UInt64) -> UInt64 { max(1, mix(seed ^ mix(generation))) }

    private static func mix(_ value: UInt64) -> UInt64 {
        var word = value &+ 0x9E37_79B9_7F4A_7C15
        word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
        return word ^ (word >> 31)
    }
}

/// The facts about the whole file.
struct Meta {
    /// Changes when positions that were handed out may be lost.
    var generation: UInt64
    /// The system's start in which the file was last open.
    var bootID: [UInt8]
    /// The weakest sync mode since the file was last closed.
    var sync: [UInt8]
    /// Whether the file was closed by the server, and everything is on the disk.
    var isClean: Bool
    var era: Int64

    /// Reads the facts; nil in a file that is new.
    static func read(_ connection: Connection) throws(SQLiteFailure) -> Meta {
        let statement = try connection.prepare("SELECT value FROM meta WHERE name = ?")
        defer { statement.finalize() }
        func find<Value>(
            _ name: String, _ value: (Statement) -> Value
        ) throws(SQLiteFailure) -> Value {
            defer { statement.reset() }
            try statement.bind(1, text: name)
            guard try statement.step() else { throw .damage("meta has no \(name)") }
            return value(statement)
        }
        return Meta(
            generation: UInt64(bitPattern: try find("generation") { $0.integer(0) }),
            bootID: try find("boot") { $0.bytes(0) }, sync: try find("sync") { $0.bytes(0) },
            isClean: try find("clean") { $0.integer(0) } == 1, era: try find("era") { $0.integer(0) })
    }

    func write(_ connection: Connection) throws(SQLiteFailure) {
        let statement = try connection.prepare("INSERT OR REPLACE INTO meta VALUES (?, ?)")
        defer { statement.finalize() }
        func set(_ name: String, _ bind: () throws(SQLiteFailure) -> Void) throws(SQLiteFailure) {
            try statement.bind(1, text: name)
            try bind()
            try statement.run()
        }
        try set("generation") { () throws(SQLiteFailure) in
            try statement.bind(2, Int64(bitPattern: generation))
        }
        try set("boot") { () throws(SQLiteFailure) in try statement.bind(2, bootID) }
        try set("sync") { () throws(SQLiteFailure) in try statement.bind(2, sync) }
        try set("clean") { () throws(SQLiteFailure) in try statement.bind(2, isClean ? 1 : 0) }
        try set("era") { () throws(SQLiteFailure) in try statement.bind(2, era) }
    }
}

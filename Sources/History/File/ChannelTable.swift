// The channels as the writer knows them: the rows of the file, and a bounded cache of them. The cache holds the channels as the
// open transaction has made them; a transaction that fails empties it.
//
// Runs on: the writer.

/// The state of one channel.
final class ChannelState {
    let id: Int64
    let name: [UInt8]
    let seed: UInt64
    /// Publications up to this offset are gone, even where their rows are still there.
    var base: Int64
    /// The offset of the oldest row; `top + 1` without rows.
    var oldest: Int64
    /// The newest offset.
    var top: Int64
    /// The time of the newest publication.
    var lastAt: Int64
    var limits: HistoryLimits
    /// When the channel must be visited: something in it has expired then.
    var due: Int64
    /// Rows that the open transaction has added.
    var added: Int64 = 0

    init(
        id: Int64, name: [UInt8], seed: UInt64, base: Int64, oldest: Int64, top: Int64, lastAt: Int64,
        limits: HistoryLimits,
        due: Int64
    ) {
        self.id = id
        self.name = name
        self.seed = seed
        self.base = base
        self.oldest = oldest
        self.top = top
        self.lastAt = lastAt
        self.limits = limits
        self.due = due
    }

    var isEmpty: Bool { oldest > top }

    /// The first offset that the channel's size lets it keep.
    var firstBySize: Int64 { max(base + 1, top - Int64(limits.size) + 1) }
}

/// The rows of channels.
final class ChannelTable {
    private let find: Statement
    private let newest: Statement
    private let oldest: Statement
    private let insert: Statement
    private let update: Statement
    private let delete: Statement
    private let due: Statement
    private var known: [[UInt8]: ChannelState] = [:]

    init(_ connection: Connection) throws(SQLiteFailure) {
        find = try connection.prepare("SELECT id, seed, base, size, age, due FROM channel WHERE name = ?")
        newest = try connection.prepare(
            "SELECT offset, at FROM publication WHERE channel = ? ORDER BY offset DESC LIMIT 1")
        oldest = try connection.prepare("SELECT min(offset) FROM publication WHERE channel = ?")
        insert = try connection.prepare(
            "INSERT INTO channel(name, seed, base, size, age, due) VALUES (?, ?, 0, ?, ?, ?) RETURNING id")
        update = try connection.prepare("UPDATE channel SET base = ?2, size = ?3, age = ?4, due = ?5 WHERE id = ?1")
        delete = try connection.prepare("DELETE FROM channel WHERE id = ?")
        due = try connection.prepare("SELECT name FROM channel WHERE due <= ? ORDER BY due LIMIT ?")
    }

    /// The channel's state; nil without a row.
    func state(_ name: [UInt8]) throws(SQLiteFailure) -> ChannelState? {
        if let state = known[name] { return state }
        defer { find.reset() }
        try find.bind(1, name)
        guard try find.step() else { return nil }
        let (id, base) = (find.integer(0), find.integer(2))
        let (last, lastAt) = try lastRow(id)
        let top = max(base, last)
        let state = ChannelState(
            id: id, name: name, seed: UInt64(bitPattern: find.integer(1)), base: base,
            oldest: last == 0 ? top + 1 : try oldestRow(id), top: top, lastAt: lastAt,
            limits: HistoryLimits(size: Int(find.integer(3)), age: find.integer(4)), due: find.integer(5))
        known[name] = state
        return state
    }

    /// Makes a row for a channel that has none.
    func add(_ name: [UInt8], seed: UInt64, _ limits: HistoryLimits, due: Int64) throws(SQLiteFailure) -> ChannelState {
        defer { insert.reset() }
        try insert.bind(1, name)
        try insert.bind(2, Int64(bitPattern: seed))
        try insert.bind(3, Int64(limits.size))
        try insert.bind(4, limits.age)
        try insert.bind(5, due)
        guard try insert.step() else { throw .damage("a row has no id") }
        let state = ChannelState(
            id: insert.integer(0), name: name, seed: seed, base: 0, oldest: 1, top: 0, lastAt: 0, limits: limits,
            due: due)
        // The statement must run to its end.
        _ = try insert.step()
        known[name] = state
        return state
    }

    /// Writes what can change.
    func save(_ state: ChannelState) throws(SQLiteFailure) {
        try update.bind(1, state.id)
        try update.bind(2, state.base)
        try update.bind(3, Int64(state.limits.size))
        try update.bind(4, state.limits.age)
        try update.bind(5, state.due)
        try update.run()
    }

    func remove(_ state: ChannelState) throws(SQLiteFailure) {
        try delete.bind(1, state.id)
        try delete.run()
        known[state.name] = nil
    }

    /// Channels that must be visited, the ones that wait longest first.
    func names(dueAt now: Int64, count: Int) throws(SQLiteFailure) -> [[UInt8]] {
        defer { due.reset() }
        try due.bind(1, now)
        try due.bind(2, Int64(count))
        var names: [[UInt8]] = []
        while try due.step() { names.append(due.bytes(0)) }
        return names
    }

    /// Forgets what was read, because the file does not have it.
    func forget() { known = [:] }

    /// Keeps the cache within its bound. Not within a transaction, which uses what it has found.
    func trimCache() {
        if known.count > HistoryBounds.knownChannels { known = [:] }
    }

    private func lastRow(_ id: Int64) throws(SQLiteFailure) -> (offset: Int64, at: Int64) {
        defer { newest.reset() }
        try newest.bind(1, id)
        return try newest.step() ? (newest.integer(0), newest.integer(1)) : (0, 0)
    }

    private func oldestRow(_ id: Int64) throws(SQLiteFailure) -> Int64 {
        defer { oldest.reset() }
        try oldest.bind(1, id)
        return try oldest.step() ? oldest.integer(0) : 0
    }
}

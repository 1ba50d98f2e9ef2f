// The results of publications that came with an idempotency key, each for its lifetime.
//
// Runs on: the writer.

/// The rows of results.
final class AnsweredTable {
    private let find: Statement
    private let insert: Statement
    private let expire: Statement
    private let cut: Statement
    private let limit: Int
    /// Rows that there are, as far as is known; read when it is needed first and after a failure.
    private var count: Int?
    private let counting: Statement

    init(_ connection: Connection, limit: Int = HistoryBounds.answered) throws(SQLiteFailure) {
        self.limit = limit
        find = try connection.prepare("SELECT digest, offset, epoch FROM answered WHERE key = ? AND expires > ?")
        insert = try connection.prepare("INSERT OR REPLACE INTO answered VALUES (?, ?, ?, ?, ?)")
        let oldest = "DELETE FROM answered WHERE key IN (SELECT key FROM answered"
        expire = try connection.prepare("\(oldest) WHERE expires <= ?1 ORDER BY expires LIMIT ?2)")
        cut = try connection.prepare("\(oldest) ORDER BY expires LIMIT ?)")
        counting = try connection.prepare("SELECT count(*) FROM answered")
    }

    /// The outcome for a key that was used before; nil for a new one.
    func outcome(_ key: IdempotencyKey, now: Int64) throws(SQLiteFailure) -> HistoryOutcome? {
        defer { find.reset() }
        try find.bind(1, key.key)
        try find.bind(2, now)
        guard try find.step() else { return nil }
        guard find.bytes(0) == key.digest else { return .failed(.keyReused) }
        return .repeated(
            HistoryPosition(offset: UInt64(find.integer(1)), epoch: UInt64(bitPattern: find.integer(2))))
    }

    /// Keeps a result; the ones that expire first make room for it.
    func keep(_ key: IdempotencyKey, _ position: HistoryPosition, now: Int64) throws(SQLiteFailure) {
        try insert.bind(1, key.key)
        try insert.bind(2, key.digest)
        try insert.bind(3, Int64(position.offset))
        try insert.bind(4, Int64(bitPattern: position.epoch))
        try insert.bind(5, now &+ key.lifetime)
        try insert.run()
        let known = if let count { count + 1 } else { try counted() }
        count = known
        guard known > limit else { return }
        // A replaced row was counted twice, so the number is looked at before rows are deleted.
        let surplus = try counted() - limit
        guard surplus > 0 else { return }
        let spare = min(limit / 10, HistoryBounds.sweepRows)
        try cut.bind(1, Int64(surplus + spare))
        try cut.run()
        count = limit - spare
    }

    /// Deletes results that have expired; answers how many.
    func sweep(now: Int64, rows: Int) throws(SQLiteFailure) -> Int {
        try expire.bind(1, now)
        try expire.bind(2, Int64(rows))
        try expire.run()
        let gone = expire.changes
        count = count.map { max(0, $0 - gone) }
        return gone
    }

    func forget() { count = nil }

    private func counted() throws(SQLiteFailure) -> Int {
        defer { counting.reset() }
        let number = try counting.step() ? Int(counting.integer(0)) : 0
        count = number
        return number
    }
}

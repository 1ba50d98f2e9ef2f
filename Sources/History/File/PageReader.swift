// Reads a part of a channel's history. Size and age are the query's, so a rule that has changed holds at once, whatever lies in the
// file.
//
// Runs on: the thread of its connection.
// Read next: HistoryReader.swift, HistoryWriter.swift.

/// The statements that read publications.
struct PageReader {
    private let channel: Statement
    private let newest: Statement
    private let oldest: Statement
    private let time: Statement
    private let era: Statement
    private let ascending: Statement
    private let descending: Statement
    private let generation: UInt64

    init(_ connection: Connection, generation: UInt64) throws(SQLiteFailure) {
        self.generation = generation
        let row = "SELECT offset, at, flags, note, body FROM publication"
        let range = "WHERE channel = ?1 AND offset BETWEEN ?2 AND ?3"
        channel = try connection.prepare("SELECT id, seed, base FROM channel WHERE name = ?")
        newest = try connection.prepare("SELECT max(offset) FROM publication WHERE channel = ?")
        oldest = try connection.prepare("SELECT min(offset) FROM publication WHERE channel = ?")
        time = try connection.prepare("SELECT at FROM publication WHERE channel = ? AND offset = ?")
        era = try connection.prepare("SELECT value FROM meta WHERE name = 'era'")
        ascending = try connection.prepare("\(row) \(range) ORDER BY offset")
        descending = try connection.prepare("\(row) \(range) ORDER BY offset DESC")
    }

    /// Reads within a transaction, so that all is of one moment.
    func page(_ query: StoreQuery, now: Int64) throws(SQLiteFailure) -> StoredPage {
        guard let found = try find(query.channel) else {
            let seed = Schema.seed(query.channel, era: try number(era) ?? 0)
            return StoredPage(
                position: HistoryPosition(offset: 0, epoch: Schema.epoch(seed: seed, generation: generation)), first: 1,
                publications: [], isWhole: true)
        }
        let top = max(found.base, try number(newest, found.id) ?? 0)
        let kept = max(found.base + 1, top - Int64(query.limits.size) + 1, try number(oldest, found.id) ?? top + 1)
        let first = try firstYounger(than: now - query.limits.age, in: found.id, kept, through: top)
        var page = StoredPage(
            position: HistoryPosition(
                offset: UInt64(top), epoch: Schema.epoch(seed: found.seed, generation: generation)),
            first: UInt64(first), publications: [], isWhole: true)
        switch query.start {
        case .after(let offset):
            let from = max(first, Int64(clamping: offset) &+ 1)
            page.isWhole = try read(ascending, found.id, from, top, step: 1, query, into: &page)
        case .before(let offset):
            let to = min(top, Int64(clamping: offset) - 1)
            page.isWhole = try read(descending, found.id, first, to, step: -1, query, into: &page)
        case .newest:
            page.isWhole = try read(descending, found.id, first, top, step: -1, query, into: &page)
            page.publications.reverse()
        }
        return page
    }

    /// The offset of the first publication that is younger; the end of the range if none is. Times never fall in a channel.
    func firstYounger(
        than limit: Int64, in channel: Int64, _ from: Int64, through top: Int64
    ) throws(SQLiteFailure) -> Int64 {
        var (low, high) = (from, top + 1)
        var probe = low
        while low < high {
            if try time(of: probe, in: channel) > limit { high = probe } else { low = probe + 1 }
            probe = low + (high - low) / 2
        }
        return low
    }

    func time(of offset: Int64, in channel: Int64) throws(SQLiteFailure) -> Int64 {
        guard let time = try number(time, channel, offset) else {
            throw .damage("a publication is missing at offset \(offset)")
        }
        return time
    }

    /// Reads a range; false when the query's bounds ended it.
    private func read(
        _ statement: Statement, _ channel: Int64, _ from: Int64, _ to: Int64, step: Int64, _ query: StoreQuery,
        into page: inout StoredPage
    ) throws(SQLiteFailure) -> Bool {
        guard from <= to else { return true }
        defer { statement.reset() }
        try statement.bind(1, channel)
        try statement.bind(2, from)
        try statement.bind(3, to)
        var (next, bytes) = (step > 0 ? from : to, 0)
        while next >= from && next <= to {
            guard page.publications.count < query.count else { return false }
            guard try statement.step(), statement.integer(0) == next else {
                throw .damage("a publication is missing at offset \(next)")
            }
            bytes += statement.byteCount(3) + statement.byteCount(4)
            guard bytes <= query.bytes || page.publications.isEmpty else { return false }
            page.publications.append(
                StoredPublication(
                    offset: UInt64(next), at: statement.integer(1),
                    flags: UInt32(truncatingIfNeeded: statement.integer(2)),
                    note: statement.bytes(3), body: statement.bytes(4)))
            next += step
        }
        return true
    }

    private func find(_ name: [UInt8]) throws(SQLiteFailure) -> (id: Int64, seed: UInt64, base: Int64)? {
        defer { channel.reset() }
        try channel.bind(1, name)
        guard try channel.step() else { return nil }
        return (channel.integer(0), UInt64(bitPattern: channel.integer(1)), channel.integer(2))
    }

    private func number(_ statement: Statement, _ values: Int64...) throws(SQLiteFailure) -> Int64? {
        defer { statement.reset() }
        for (index, value) in values.enumerated() { try statement.bind(Int32(index + 1), value) }
        guard try statement.step(), !statement.isNull(0) else { return nil }
        return statement.integer(0)
    }
}

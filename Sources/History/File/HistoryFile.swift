// The file as the writer has it: one connection that writes and checkpoints. Two that checkpoint can damage a file, says SQLite
// about its versions before 3.51.3 (sqlite.org/wal.html#walresetbug), and distributions have those.
//
// Each function that writes is one transaction: all of it is done, or nothing.
//
// Runs on: the writer.
// Read next: HistoryFile+Opening.swift, ChannelTable.swift, HistoryWriter.swift.

import Glibc

/// An open history file.
final class HistoryFile {
    let opening: Opening
    let generation: UInt64
    /// Rows that were deleted because they were too old or too many.
    private(set) var trimmed: UInt64 = 0
    private let connection: Connection
    private let options: HistoryOptions
    private let channels: ChannelTable
    private let answered: AnsweredTable
    private let pages: PageReader
    private let insert: Statement
    private let delete: Statement
    private let begin: Statement
    private let commit: Statement
    private var meta: Meta
    private var identity: FileIdentity?
    /// Frames in the log; written by SQLite after each commit.
    private let frames: UnsafeMutablePointer<Int32>
    /// Frames of the log that are in the file, too.
    private var copied = 0
    /// Frames at which the log is copied although publications wait.
    private var nextCheckpoint = HistoryBounds.checkpoint / HistoryBounds.frame
    private var mayForgetFrom: Int64 = 0

    init(
        _ connection: Connection, _ options: HistoryOptions, meta: Meta, opening: Opening
    ) throws(SQLiteFailure) {
        (self.connection, self.options) = (connection, options)
        (self.meta, self.opening, generation) = (meta, opening, meta.generation)
        channels = try ChannelTable(connection)
        answered = try AnsweredTable(connection)
        pages = try PageReader(connection, generation: meta.generation)
        insert = try connection.prepare(
            "INSERT INTO publication(channel, offset, at, flags, note, body) VALUES (?, ?, ?, ?, ?, ?)")
        delete = try connection.prepare("DELETE FROM publication WHERE channel = ? AND offset BETWEEN ? AND ?")
        begin = try connection.prepare("BEGIN IMMEDIATE")
        commit = try connection.prepare("COMMIT")
        identity = FileIdentity(options.file)
        frames = .allocate(capacity: 1)
        frames.initialize(to: 0)
        connection.noteFrames(in: frames)
    }

    deinit {
        connection.close()
        frames.deallocate()
    }

    /// Bytes in the log, and of the file.
    var logBytes: Int { Int(frames.pointee) * HistoryBounds.frame }
    var fileBytes: Int { FileIdentity(options.file)?.bytes ?? 0 }

    /// Fails if another program has put the file away.
    func checkPlace() throws(HistoryTrouble) {
        let found = FileIdentity(options.file)
        guard let found, found.isSame(as: identity) else { throw .gone(options.file) }
    }

    // MARK: Publications

    /// Stores publications in their order.
    func publish(_ drafts: [HistoryDraft], now: Int64) throws(HistoryTrouble) -> [HistoryOutcome] {
        channels.trimCache()
        return try transaction { () throws(SQLiteFailure) in
            var (outcomes, touched): ([HistoryOutcome], [ChannelState]) = ([], [])
            outcomes.reserveCapacity(drafts.count)
            for draft in drafts {
                if let key = draft.idempotency, let outcome = try answered.outcome(key, now: now) {
                    outcomes.append(outcome)
                    continue
                }
                let channel = try state(for: draft, now: now)
                if channel.added == 0 { touched.append(channel) }
                let position = try append(draft, to: channel, now: now)
                if let key = draft.idempotency { try answered.keep(key, position, now: now) }
                outcomes.append(.stored(position, at: channel.lastAt))
            }
            for channel in touched { try trim(channel) }
            return outcomes
        }
    }

    private func state(for draft: HistoryDraft, now: Int64) throws(SQLiteFailure) -> ChannelState {
        let expiry = now &+ draft.limits.age
        guard let channel = try channels.state(draft.channel) else {
            let seed = Schema.seed(draft.channel, era: meta.era)
            return try channels.add(draft.channel, seed: seed, draft.limits, due: expiry)
        }
        if channel.limits != draft.limits {
            // The next sweep looks at it under its new limits.
            (channel.limits, channel.due) = (draft.limits, now)
            try channels.save(channel)
        } else if channel.isEmpty {
            channel.due = expiry
            try channels.save(channel)
        }
        return channel
    }

    private func append(
        _ draft: HistoryDraft, to channel: ChannelState, now: Int64
    ) throws(SQLiteFailure) -> HistoryPosition {
        channel.top += 1
        channel.added += 1
        channel.lastAt = max(channel.lastAt, now)
        try insert.bind(1, channel.id)
        try insert.bind(2, channel.top)
        try insert.bind(3, channel.lastAt)
        try insert.bind(4, Int64(draft.flags))
        try insert.bind(5, draft.note)
        try insert.run(lastBlob: draft.body, at: 6)
        return position(channel)
    }

    private func position(_ channel: ChannelState) -> HistoryPosition {
        HistoryPosition(offset: UInt64(channel.top), epoch: Schema.epoch(seed: channel.seed, generation: generation))
    }

    /// The position of a channel without a row.
    private func firstPosition(_ name: [UInt8]) -> HistoryPosition {
        let seed = Schema.seed(name, era: meta.era)
        return HistoryPosition(offset: 0, epoch: Schema.epoch(seed: seed, generation: generation))
    }

    // MARK: What goes

    /// Deletes what is too much in a channel, when that is a quarter of its size.
    private func trim(_ channel: ChannelState) throws(SQLiteFailure) {
        defer { channel.added = 0 }
        let slack = min(Int64(channel.limits.size / 4), Int64(HistoryBounds.sweepRows))
        guard channel.firstBySize - channel.oldest > slack else { return }
        _ = try deleteRows(
            of: channel, before: channel.firstBySize, atMost: HistoryBounds.sweepRows + Int(channel.added))
    }

    /// Deletes a channel's oldest rows; answers how many.
    private func deleteRows(
        of channel: ChannelState, before end: Int64, atMost limit: Int
    ) throws(SQLiteFailure) -> Int {
        let end = min(end, channel.oldest + Int64(limit))
        guard end > channel.oldest else { return 0 }
        try delete.bind(1, channel.id)
        try delete.bind(2, channel.oldest)
        try delete.bind(3, end - 1)
        try delete.run()
        trimmed += UInt64(delete.changes)
        defer { channel.oldest = end }
        return Int(end - channel.oldest)
    }

    /// Empties a channel. Offsets go on, and so does the epoch; positions of before cannot be recovered.
    func clear(_ name: [UInt8], now: Int64) throws(HistoryTrouble) -> ClearedChannel {
        try transaction { () throws(SQLiteFailure) in
            guard let channel = try channels.state(name) else {
                return ClearedChannel(position: firstPosition(name), count: 0)
            }
            let count = channel.top - max(channel.firstBySize, channel.oldest) + 1
            // The rows go with the next sweeps, so that the time is the same for a channel of any size.
            channel.base = channel.top
            if !channel.isEmpty { channel.due = now }
            try channels.save(channel)
            return ClearedChannel(position: position(channel), count: Int(count))
        }
    }

    /// One step of the search for what has expired; true when there may be more.
    func sweep(now: Int64, rows: Int) throws(HistoryTrouble) -> Bool {
        channels.trimCache()
        return try transaction { () throws(SQLiteFailure) in
            var (budget, forgets) = (rows, false)
            budget -= try answered.sweep(now: now, rows: budget)
            let due = try channels.names(dueAt: now, count: HistoryBounds.sweepChannels)
            for name in due where budget > 0 {
                guard let channel = try channels.state(name) else { continue }
                if channel.isEmpty {
                    guard now >= mayForgetFrom else {
                        channel.due = mayForgetFrom
                        try channels.save(channel)
                        continue
                    }
                    forgets = true
                    try channels.remove(channel)
                } else {
                    budget -= try expire(channel, now: now, rows: budget)
                }
            }
            let isMore = budget <= 0 || due.count == HistoryBounds.sweepChannels
            if forgets {
                // A channel that comes back counts from 1 again, so it must have another epoch.
                meta.era &+= 1
                try meta.write(connection)
                if !isMore { mayForgetFrom = now + HistoryBounds.forgetting }
            }
            return isMore
        }
    }

    /// Deletes what has expired in a channel, and notes when to look again; answers how many rows went.
    private func expire(_ channel: ChannelState, now: Int64, rows: Int) throws(SQLiteFailure) -> Int {
        let kept = max(channel.firstBySize, channel.oldest)
        let first = try pages.firstYounger(than: now - channel.limits.age, in: channel.id, kept, through: channel.top)
        let count = try deleteRows(of: channel, before: first, atMost: rows)
        if channel.oldest < first {
            channel.due = now
        } else if channel.isEmpty {
            // Its position lives on in `base`.
            channel.base = channel.top
            channel.due = now + options.positionAge
        } else {
            channel.due = try pages.time(of: channel.oldest, in: channel.id) + channel.limits.age
        }
        try channels.save(channel)
        return count
    }

    // MARK: Reading

    /// Reads with all that was published until now.
    func page(_ query: StoreQuery, now: Int64) throws(HistoryTrouble) -> StoredPage {
        // Not `transaction`: a read takes no lock that another program may have.
        try mapped { () throws(SQLiteFailure) in
            try connection.execute("BEGIN")
            defer { if connection.isInTransaction { try? connection.execute("ROLLBACK") } }
            return try pages.page(query, now: now)
        }
    }

    /// The channel's newest position, and the offset up to which everything is gone.
    func newest(_ name: [UInt8]) throws(HistoryTrouble) -> (HistoryPosition, base: UInt64) {
        channels.trimCache()
        return try mapped { () throws(SQLiteFailure) in
            guard let channel = try channels.state(name) else { return (firstPosition(name), 0) }
            return (position(channel), UInt64(channel.base))
        }
    }

    // MARK: The log

    /// Copies the log into the file when it is long enough.
    /// - Returns: whether it was copied.
    func checkpoint(isIdle: Bool) throws(HistoryTrouble) -> Bool {
        let count = Int(frames.pointee)
        if count < copied { copied = 0 }
        let isDue = isIdle && (count - copied) * HistoryBounds.frame >= HistoryBounds.idleCheckpoint
        guard isDue || count >= nextCheckpoint else { return false }
        try copyLog()
        return true
    }

    /// Copies all that is in the log; for a quiet time, so that a power failure finds little to lose.
    func copyLog() throws(HistoryTrouble) {
        guard Int(frames.pointee) != copied else { return }
        let always = HistoryBounds.checkpoint / HistoryBounds.frame
        let result = try mapped { () throws(SQLiteFailure) in try connection.checkpoint(empties: false) }
        copied = result.copied
        // A reader may hold the log; the next try is when it has grown by a sixteenth.
        nextCheckpoint = result.copied == result.frames ? always : max(always, result.frames + always / 16)
    }

    /// Whether the file has room for a while: writes and takes back what needs some pages, in the file and in its log.
    func probe(now: Int64) throws(HistoryTrouble) {
        try checkPlace()
        // The sweep makes room in the file, and an empty log makes room on the disk.
        copied = 0
        try? copyLog()
        for _ in 0..<10 where (try? sweep(now: now, rows: HistoryBounds.sweepRows)) != true { break }
        try transaction { () throws(SQLiteFailure) in
            try connection.execute("INSERT OR REPLACE INTO meta VALUES ('probe', zeroblob(65536))")
        }
        try transaction { () throws(SQLiteFailure) in
            try connection.execute("DELETE FROM meta WHERE name = 'probe'")
        }
    }

    /// Writes all to the disk, notes that, and closes.
    func close() throws(HistoryTrouble) {
        defer { connection.close() }
        try mapped { () throws(SQLiteFailure) in
            try connection.execute("PRAGMA synchronous = FULL")
            // A frame more makes the checkpoint write the whole file to the disk, what it copied without `fsync` included.
            try meta.write(connection)
            _ = try connection.checkpoint(empties: true)
            meta.isClean = true
            try meta.write(connection)
            _ = try connection.checkpoint(empties: true)
        }
    }

    /// Closes without a word, as after a failure.
    func abandon() { connection.close() }

    // MARK: Transactions

    private func transaction<Value>(_ body: () throws(SQLiteFailure) -> Value) throws(HistoryTrouble) -> Value {
        try mapped { () throws(SQLiteFailure) in
            do throws(SQLiteFailure) {
                try begin.run()
                let value = try body()
                try commit.run()
                return value
            } catch {
                if connection.isInTransaction { try? connection.execute("ROLLBACK") }
                channels.forget()
                answered.forget()
                if let before = try? Meta.read(connection) { meta = before }
                throw error
            }
        }
    }

    private func mapped<Value>(_ body: () throws(SQLiteFailure) -> Value) throws(HistoryTrouble) -> Value {
        do throws(SQLiteFailure) {
            return try body()
        } catch {
            throw HistoryTrouble(error, file: options.file, maxFile: options.maxFile)
        }
    }
}

/// Which file a path names.
struct FileIdentity {
    private let device: UInt
    private let number: UInt
    let bytes: Int

    init?(_ path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        (device, number, bytes) = (UInt(status.st_dev), UInt(status.st_ino), Int(status.st_size))
    }

    func isSame(as other: FileIdentity?) -> Bool { device == other?.device && number == other?.number }
}

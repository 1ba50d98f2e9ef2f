// What goes into the store and what comes out of it. The store knows no broker: a channel is the bytes of its name, a publication
// is bytes with a note and flags that belong to the publisher.
//
// Read next: HistoryStore.swift.

/// The position of a publication in its channel.
public struct HistoryPosition: Hashable, Sendable {
    /// Counts the channel's publications from 1; 0 stands for a channel without any.
    public let offset: UInt64
    /// Promises: every position that was handed out with this epoch still is what it was.
    public let epoch: UInt64

    public init(offset: UInt64, epoch: UInt64) {
        self.offset = offset
        self.epoch = epoch
    }
}

/// How much of a channel is kept.
public struct HistoryLimits: Equatable, Sendable {
    /// Publications, 1 or more.
    public let size: Int
    /// Milliseconds, 1 or more.
    public let age: Int64

    public init(size: Int, age: Int64) {
        self.size = max(1, size)
        self.age = max(1, age)
    }
}

/// A key under which a publication is stored once, however often it is published.
public struct IdempotencyKey: Equatable, Sendable {
    /// 1 to 128 bytes in use; the store takes any.
    public let key: [UInt8]
    /// Tells the same publication from another one with the same key.
    public let digest: [UInt8]
    /// Milliseconds for which the result is kept.
    public let lifetime: Int64

    public init(key: [UInt8], digest: [UInt8], lifetime: Int64) {
        self.key = key
        self.digest = digest
        self.lifetime = lifetime
    }
}

/// A publication that is to be stored.
public struct HistoryDraft: Sendable {
    /// The bytes of the channel's name.
    public let channel: [UInt8]
    /// As the channel's rule says now.
    public let limits: HistoryLimits
    public let flags: UInt32
    /// What belongs to the message besides its bytes.
    public let note: [UInt8]
    public let body: [UInt8]
    public let idempotency: IdempotencyKey?

    public init(
        channel: [UInt8], limits: HistoryLimits, flags: UInt32 = 0, note: [UInt8] = [], body: [UInt8],
        idempotency: IdempotencyKey? = nil
    ) {
        self.channel = channel
        self.limits = limits
        self.flags = flags
        self.note = note
        self.body = body
        self.idempotency = idempotency
    }

    /// Bytes that it takes in the queue.
    var cost: Int { channel.count + note.count + body.count + (idempotency?.key.count ?? 0) + 256 }
}

/// The outcome of a publication. It is final: a publication with a position is stored, and one that has failed is not.
public enum HistoryOutcome: Equatable, Sendable {
    /// - at: milliseconds since 1970.
    case stored(HistoryPosition, at: Int64)
    /// A publication with the same key was stored before, at this position.
    case repeated(HistoryPosition)
    case failed(HistoryFailure)
}

/// A publication as it is stored.
public struct StoredPublication: Equatable, Sendable {
    public let offset: UInt64
    /// Milliseconds since 1970; in one channel never less than the one before.
    public let at: Int64
    public let flags: UInt32
    public let note: [UInt8]
    public let body: [UInt8]
}

/// A part of a channel's history that is to be read.
public struct StoreQuery: Sendable {
    public enum Start: Equatable, Sendable {
        /// What follows the offset, oldest first.
        case after(UInt64)
        /// What lies before the offset, newest first; `UInt64.max` begins with the newest.
        case before(UInt64)
        /// The newest ones, oldest first.
        case newest
    }

    public let channel: [UInt8]
    /// As the channel's rule says now; publications outside of them are not given.
    public let limits: HistoryLimits
    public let start: Start
    /// The most publications to read.
    public let count: Int
    /// The most bytes of notes and bodies to read; a first publication that is larger is read alone.
    public let bytes: Int

    public init(channel: [UInt8], limits: HistoryLimits, start: Start, count: Int, bytes: Int) {
        self.channel = channel
        self.limits = limits
        self.start = start
        self.count = count
        self.bytes = bytes
    }
}

/// A part of a channel's history.
public struct StoredPage: Equatable, Sendable {
    /// The newest position of the channel.
    public var position: HistoryPosition
    /// The offset of the oldest publication that is kept; the one that comes next, if none is.
    public var first: UInt64
    /// Without a gap, in the order of the query.
    public var publications: [StoredPublication]
    /// Whether `publications` is everything from the query's start to the end of the history in its direction; false when
    /// `count` or `bytes` ended it.
    public var isWhole: Bool
}

/// A channel that was emptied.
public struct ClearedChannel: Equatable, Sendable {
    public let position: HistoryPosition
    /// Publications that are gone, including those that were too old but had not been deleted.
    public let count: Int
}

/// The reason why the store did not do what was asked.
public enum HistoryFailure: Error, Equatable, Sendable {
    /// Too much waits.
    case overloaded
    /// The file cannot be used now.
    /// - why: in words, for an operator.
    case unavailable(why: String)
    /// The key was used for another publication.
    case keyReused
}

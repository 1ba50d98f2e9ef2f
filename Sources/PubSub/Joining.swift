// The words in which a worker or the admin thread asks a broker for what a channel keeps, and the answers.
//
// Read next: Broker.swift, SharedRun.swift.

/// A place in a channel from which a client goes on.
public struct RecoveryPlace: Sendable, Equatable {
    /// The offset of the last publication that the client has; 0 before the first.
    public var offset: UInt64
    /// The epoch in which the offset counts; nil when the client does not know it, and takes the present one.
    public var epoch: UInt64?

    public init(offset: UInt64, epoch: UInt64?) {
        self.offset = offset
        self.epoch = epoch
    }
}

/// The publications that a join is given before the channel's next ones.
public struct JoinWish: Sendable, Equatable {
    /// Everything behind this place, or, where that is not all here, nothing.
    public var since: RecoveryPlace?
    /// So many of the newest, where `since` is not given or cannot be met.
    public var newest = 0

    public init(since: RecoveryPlace? = nil, newest: Int = 0) {
        self.since = since
        self.newest = newest
    }
}

/// The reason why a client is not given all that it has missed.
public enum Unrecovered: String, Sendable, CaseIterable {
    /// Its epoch is over: its position counts something else.
    case epoch
    /// The first publication that is kept is later than its next one.
    case trimmed
    /// It is ahead of the channel, which has gone back.
    case ahead
    /// It has missed more than one join may be given.
    case limit
}

/// What a window has behind a position.
public enum Missed: Sendable, Equatable {
    case offsets(Range<UInt64>)
    case unrecovered(Unrecovered)
}

/// The answer to a join. The publications behind it in the asker's inbox are those behind it in the channel.
public struct JoinResult: Sendable {
    /// The publications to deliver first, the oldest first.
    public var run: SharedRun?
    /// The position that the subscriber has with them; nil for a channel without positions.
    public var position: StreamPosition?
    /// Why the place of the wish was not met; nil when it was, or there was none.
    public var why: Unrecovered?

    public init(run: SharedRun? = nil, position: StreamPosition? = nil, why: Unrecovered? = nil) {
        self.run = run
        self.position = position
        self.why = why
    }
}

/// A page of a channel's history that is wanted.
public struct HistoryQuery: Sendable, Equatable {
    /// The most messages; 0 asks for the position alone.
    public var limit: Int
    /// Only messages behind this place, or, backwards, before it.
    public var since: RecoveryPlace?
    /// The newest first.
    public var isReversed: Bool
    /// The most bytes of messages, the first one aside.
    public var byteLimit: Int

    public init(limit: Int, since: RecoveryPlace? = nil, isReversed: Bool = false, byteLimit: Int = 1 << 20) {
        self.limit = limit
        self.since = since
        self.isReversed = isReversed
        self.byteLimit = byteLimit
    }
}

/// A page of a channel's history, and the channel's figures.
public struct HistoryPage: Sendable {
    /// A message and its time.
    public struct Item: Sendable {
        public let publication: Publication
        /// Milliseconds since 1970.
        public let at: UInt64

        public init(_ publication: Publication, at: UInt64) {
            self.publication = publication
            self.at = at
        }
    }

    public var items: [Item] = []
    /// The channel's last position; nil when it has none yet, or keeps none.
    public var position: StreamPosition?
    /// Messages that are kept.
    public var count = 0
    /// Bytes that they cost.
    public var byteCount = 0
    /// Why the page does not begin at the wanted place.
    public var why: Unrecovered?
    /// Whether messages are left behind the last of the page.
    public var hasMore = false

    public init(position: StreamPosition? = nil, count: Int = 0, byteCount: Int = 0) {
        self.position = position
        self.count = count
        self.byteCount = byteCount
    }
}

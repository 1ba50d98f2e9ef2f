// The options of a channel: what is kept of its publications, and what happens at subscribers that read too slowly. A channel's
// name decides: the most exact pattern that matches it has all of its options, and no other pattern adds to them.
//
// Read next: ChannelRules.swift, ChannelWindow.swift.

/// Everything that the configuration says about a channel. Times are in milliseconds, sizes in bytes.
public struct ChannelOptions: Sendable, Equatable {
    /// What is kept of the channel's publications.
    public struct History: Sendable, Equatable {
        /// Publications that are kept; with 0 the channel has no positions.
        public var size = 0
        /// How long each is kept; with 0 the channel has no positions.
        public var age: UInt64 = 300_000

        /// Nothing is kept.
        public init() {}
    }

    /// The most that one join is given of what its client has missed.
    public struct MissedLimits: Sendable, Equatable {
        public var missed = 1_000
        /// At most half of a client's queue counts.
        public var missedBytes = 512 << 10

        /// The defaults.
        public init() {}
    }

    public var history = History()
    /// Whether a client that returns may go on at its position. It needs history and the policy `close`: any other policy would
    /// make holes that no offset shows.
    public var recover = false
    /// Whether each new subscriber gets the newest publication first.
    public var latest = false
    public var slow = SlowConsumerPolicy.close
    public var limits = MissedLimits()
    /// How long offset and epoch outlive the last publication.
    public var positionAge: UInt64 = 30 * 24 * 3_600_000
    /// The largest payload of a publication.
    public var maxSize = 1 << 30

    /// The options of a channel that no pattern matches.
    public init() {}

    /// Whether publications are kept, so that they have positions.
    public var keepsHistory: Bool { history.size > 0 && history.age > 0 }
}

/// A channel's policy for subscribers whose queue is full.
public enum SlowConsumerPolicy: String, CaseIterable, Sendable {
    /// Closes the connection with 1013. A client that stays connected has lost nothing.
    case close
    /// Drops the oldest waiting publications of such channels: the client sees the present, with gaps.
    case dropOldest = "drop_oldest"
    /// Drops the new publication: the client sees everything up to a gap.
    case dropNewest = "drop_newest"
    /// Keeps only the newest waiting publication of each channel, or of each key within it: the client sees the last state of
    /// everything.
    case conflate
}

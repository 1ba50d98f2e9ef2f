// The treatment of a channel's publications at a subscriber that reads them more slowly than they arrive: the policies, and the
// rules of the configuration that choose one for each channel.

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

/// The policies of channels, by patterns of their names.
public struct SlowConsumerRules: Sendable, Equatable {
    /// One pattern and its policy.
    public struct Rule: Sendable, Equatable {
        public let pattern: ChannelPattern
        public let policy: SlowConsumerPolicy

        public init(_ pattern: ChannelPattern, _ policy: SlowConsumerPolicy) {
            self.pattern = pattern
            self.policy = policy
        }
    }

    /// The rules, the most exact pattern first; patterns without a star before all others.
    public let rules: [Rule]

    public init(_ rules: [Rule] = []) {
        self.rules = rules.sorted { left, right in
            if left.pattern.isExact != right.pattern.isExact { return left.pattern.isExact }
            let (leftCount, rightCount) = (left.pattern.literalCount, right.pattern.literalCount)
            return leftCount == rightCount ? left.pattern.text < right.pattern.text : leftCount > rightCount
        }
    }

    /// The policy of the most exact pattern that matches; `close` where none does.
    public func policy(of channel: Channel) -> SlowConsumerPolicy {
        rules.first { $0.pattern.matches(channel) }?.policy ?? .close
    }
}

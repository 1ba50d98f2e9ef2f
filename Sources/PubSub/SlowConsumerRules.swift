// Which policy a channel has, by the patterns of the configuration.

/// Patterns of channel names, each with its policy.
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

// The options of all channels, by patterns of their names.

/// Patterns with their options. The most exact pattern that matches a name alone decides.
public struct ChannelRules: Sendable, Equatable {
    /// One pattern and its options.
    public struct Rule: Sendable, Equatable {
        public let pattern: ChannelPattern
        public let options: ChannelOptions

        public init(_ pattern: ChannelPattern, _ options: ChannelOptions) {
            self.pattern = pattern
            self.options = options
        }

        /// All options but the policy are at their defaults.
        public init(_ pattern: ChannelPattern, slow: SlowConsumerPolicy) {
            var options = ChannelOptions()
            options.slow = slow
            self.init(pattern, options)
        }
    }

    /// The rules, the most exact pattern first; patterns without a star before all others.
    public let rules: [Rule]
    /// Whether some pattern keeps history.
    public let keepHistory: Bool

    public init(_ rules: [Rule] = []) {
        keepHistory = rules.contains { $0.options.keepsHistory }
        self.rules = rules.sorted { left, right in
            if left.pattern.isExact != right.pattern.isExact { return left.pattern.isExact }
            let (leftCount, rightCount) = (left.pattern.literalCount, right.pattern.literalCount)
            return leftCount == rightCount ? left.pattern.text < right.pattern.text : leftCount > rightCount
        }
    }

    /// Whether there is no pattern.
    public var isEmpty: Bool { rules.isEmpty }

    /// The rule that a channel meets; nil where no pattern matches.
    public func rule(of channel: Channel) -> Rule? { rules.first { $0.pattern.matches(channel) } }

    /// The options of a channel: the defaults where no pattern matches.
    public func options(of channel: Channel) -> ChannelOptions { rule(of: channel)?.options ?? ChannelOptions() }
}

// The key `channels`: options of channels by patterns of their names, each a row of the table below.
//
// Read next: ../Values/ValueType+Channels.swift, PubSub/ChannelOptions.swift

public import PubSub

extension ChannelOptionKey {
    /// Every option, those of one group next to each other.
    static let all = [
        ChannelOptionKey(
            "history.size", \.history.size, .number(0...1_000_000),
            """
            The newest publications that are kept, in memory; history.memory bounds those of all channels together. 0 keeps
            none, and publications then have no offset.
            """),
        ChannelOptionKey(
            "history.age", \.history.ageTime, .timeOrNever(.milliseconds(10) ... .seconds(8_760 * 3_600)),
            "How long each publication is kept; 0 keeps none."),
        ChannelOptionKey(
            "positionAge", \.positionAgeTime, .time(.milliseconds(10) ... .seconds(8_760 * 3_600)),
            "How long offset and epoch outlive the last publication; after that the channel begins a new epoch."),
        ChannelOptionKey(
            "slow", \.slow, .choice,
            """
            A publication when a subscriber's queue is full. close: the connection is closed with 1013. drop_oldest: the oldest
            publications in the queue give way. drop_newest: the new one is dropped. conflate: only the newest of the channel
            waits, or of each key that its publisher gives.
            """),
        ChannelOptionKey(
            "maxSize", \.maxSize, .size(1...(1 << 30)),
            "The largest message; a larger one is refused with 413, and server.publish answers false, \"too large\"."),
    ]
}

extension ChannelOptions {
    /// Options that exclude each other, in words; nil when all go together.
    var mistake: String? {
        nil
    }

    /// `positionAge` as the configuration has it.
    fileprivate var positionAgeTime: Duration {
        get { .milliseconds(positionAge) }
        set { positionAge = newValue.milliseconds }
    }
}

extension ChannelOptions.History {
    /// `age` as the configuration has it.
    fileprivate var ageTime: Duration {
        get { .milliseconds(age) }
        set { age = newValue.milliseconds }
    }
}

extension Configuration {
    /// What channels keep of their publications.
    public struct History: Sendable, Equatable {
        /// Bytes of all publications and positions in memory, 1 MiB to 1 TiB.
        public var memory = 64 << 20

        /// The default of every key.
        public init() {}

        static let section = ConfigurationSection(
            "history", "What channels with history keep.",
            keys: [
                ConfigurationKey(
                    "history.memory", \.history.memory, .size((1 << 20)...(1 << 40)),
                    """
                    Bytes of the publications and positions of all channels. Beyond that the channels that were published to
                    longest ago give way: half of their publications, or, without any, their position.
                    """)
            ])
    }
}

extension Configuration {
    static let channelsKey = ConfigurationKey(
        "channels", \.channels, .channels,
        """
        Options of channels by patterns of their names, in which * stands for any run of characters. The most exact pattern
        alone decides; a channel that none matches has the defaults. perigee check --channel NAME shows the options of a
        channel. In a variable: YAML in braces.
          channels:
            ticker.*: {slow: conflate}
            "*": {maxSize: 64 KiB}
        """,
        details: ChannelOptionKey.all.map { key in
            let value =
                key.value(ChannelOptions()).written(as: "").joined().split(separator: " ", maxSplits: 1).last ?? ""
            return ConfigurationKey.Detail(
                name: key.path, purpose: key.documentation, allowed: key.allowed, standard: String(value))
        })

    /// The options of every channel.
    public var channelRules: ChannelRules { channels.isEmpty ? websocket.slowConsumers : channels }

    /// The rule that a channel's name meets, and all of its options, as YAML.
    public func explanation(of channel: Channel) -> String {
        let rules = channelRules
        let rule = rules.rule(of: channel)
        let options = rule?.options ?? ChannelOptions()
        let name = YAMLNode(.map([.init(name: channel.name, value: ChannelOptionKey.node(options, isComplete: true))]))
        let origin =
            rule.map { rule in
                let others = rules.rules.filter { $0.pattern != rule.pattern && $0.pattern.matches(channel) }
                let list = others.map { "'\($0.pattern.text)'" }.joined(separator: ", ")
                return "the pattern '\(rule.pattern.text)'" + (others.isEmpty ? "" : ", more exact than \(list)")
            } ?? "the defaults, because no pattern matches"
        return (["# \(origin)"] + name.lines).joined(separator: "\n")
    }
}

extension YAMLNode {
    /// The lines of a map.
    fileprivate var lines: [String] {
        guard case .map(let entries) = content else { return [] }
        return entries.flatMap { $0.value.written(as: $0.name) }
    }
}

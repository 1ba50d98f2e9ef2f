// The map from patterns of channel names to what happens to slow subscribers.

import JSON
internal import PubSub

extension ValueType where Value == SlowConsumerRules {
    /// Patterns in which `*` stands for any run of characters, each with one of the policies.
    static var slowConsumers: ValueType {
        let policies = SlowConsumerPolicy.allCases.map(\.rawValue).joined(separator: ", ")
        let allowed = "a map from patterns such as ticker.* to \(policies)"
        return ValueType(
            allowed: allowed,
            read: { node, findings in
                guard let entries = entries(of: node, allowed: allowed, &findings) else { return nil }
                guard entries.count <= mostRules else {
                    findings.append(
                        Finding(.notAllowed(given: "\(entries.count) patterns", allowed: allowed), at: node))
                    return nil
                }
                var rules: [SlowConsumerRules.Rule] = []
                for entry in entries {
                    if let rule = rule(entry), !rules.contains(where: { $0.pattern == rule.pattern }) {
                        rules.append(rule)
                    } else {
                        findings.append(.notAllowed(entry.value, allowed, path: "[\(JSONQuoting.quoted(entry.name))]"))
                    }
                }
                return SlowConsumerRules(rules)
            },
            write: { value, _ in
                YAMLNode(.map(value.rules.map { .init(name: $0.pattern.text, value: .text($0.policy.rawValue)) }))
            },
            split: pairs)
    }

    /// A channel that gets its first subscriber is compared with every pattern.
    private static var mostRules: Int { 256 }

    private static func rule(_ entry: YAMLNode.Entry) -> SlowConsumerRules.Rule? {
        guard case .text(let text, _) = entry.value.content, let policy = SlowConsumerPolicy(rawValue: text),
            let pattern = ChannelPattern(entry.name)
        else { return nil }
        return SlowConsumerRules.Rule(pattern, policy)
    }
}

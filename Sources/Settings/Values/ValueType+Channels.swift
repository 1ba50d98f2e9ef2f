// The type of `channels`: patterns of names, each with a map of options. The options are the rows of a table, so that a new one is
// one row: reading, `perigee config`, the documentation and `perigee check --channel` follow from it.
//
// Read next: ../Sections/Channels.swift

import JSON
import PubSub
import Scripting

/// An option of a channel: its path within a pattern's map, its type with the allowed range, its purpose.
struct ChannelOptionKey: Sendable {
    /// As in `slow` or `history.size`.
    let path: String
    let documentation: String
    let allowed: String
    private let assign: @Sendable (YAMLNode, inout ChannelOptions, inout [Finding]) -> Void
    /// The value as a node.
    let value: @Sendable (ChannelOptions) -> YAMLNode

    init<Value>(
        _ path: String, _ field: any WritableKeyPath<ChannelOptions, Value> & Sendable, _ type: ValueType<Value>,
        _ documentation: String
    ) {
        self.path = path
        self.documentation = documentation
        allowed = type.allowed
        value = { type.write($0[keyPath: field], true) }
        assign = { node, options, findings in
            if let value = type.read(node, &findings) { options[keyPath: field] = value }
        }
    }

    /// The names of the path.
    private var steps: [Substring] { path.split(separator: ".") }

    // MARK: Reading

    /// Reads a pattern's map. A finding's path is the option's.
    static func read(
        _ node: YAMLNode, below prefix: String, _ options: inout ChannelOptions, _ findings: inout [Finding]
    ) {
        guard case .map(let entries) = node.content else {
            return findings.append(Finding(.notAllowed(given: node.kind, allowed: "a map of options"), at: node))
        }
        for entry in entries {
            let path = prefix + entry.name
            var found: [Finding] = []
            if let key = all.first(where: { $0.path == path }) {
                key.assign(entry.value, &options, &found)
            } else if prefix.isEmpty, all.contains(where: { $0.path.hasPrefix(path + ".") }) {
                read(entry.value, below: path + ".", &options, &found)
            } else {
                found = [Finding(.unknown(hint: hint(path, below: prefix)), position: entry.position)]
            }
            findings += found.map { $0.below("." + entry.name) }
        }
    }

    private static func hint(_ path: String, below prefix: String) -> String {
        let known = names(below: prefix)
        let name = String(path.dropFirst(prefix.count))
        if let nearest = NearestName.of(name, among: known) { return "; did you mean '\(nearest)'?" }
        return "; known: \(known.joined(separator: ", "))"
    }

    /// The names that may stand in a map, each once.
    private static func names(below prefix: String) -> [String] {
        var names: [String] = []
        for key in all where key.path.hasPrefix(prefix) {
            let name = String(key.path.dropFirst(prefix.count).prefix { $0 != "." })
            if names.last != name { names.append(name) }
        }
        return names
    }

    // MARK: Writing

    /// The options as a map.
    /// - Parameter isComplete: whether those at their default are there, too.
    static func node(_ options: ChannelOptions, isComplete: Bool) -> YAMLNode {
        let defaults = ChannelOptions()
        let keys = all.filter { isComplete || $0.value(options) != $0.value(defaults) }
        var entries: [YAMLNode.Entry] = []
        var first = keys.startIndex
        while first < keys.endIndex {
            let name = keys[first].steps[0]
            let group = keys[first...].prefix { $0.steps[0] == name }
            first = group.endIndex
            let members = group.map { YAMLNode.Entry(name: String($0.steps.last!), value: $0.value(options)) }
            let isMap = group.first!.steps.count > 1
            entries.append(.init(name: String(name), value: isMap ? YAMLNode(.map(members)) : members[0].value))
        }
        return YAMLNode(.map(entries))
    }
}

extension Finding {
    /// The same, further inside.
    fileprivate func below(_ step: String) -> Finding {
        var finding = self
        finding.path = step + path
        return finding
    }
}

extension ValueType where Value == ChannelRules {
    /// Patterns in which `*` stands for any run of characters, each with a map of options.
    static var channels: ValueType {
        let allowed = "a map of at most \(mostRules) patterns such as ticker.*, each with a map of options"
        return ValueType(
            allowed: allowed,
            read: { node, findings in
                rules(node, allowed, &findings) { node, findings in
                    var options = ChannelOptions()
                    if !node.isNull { ChannelOptionKey.read(node, below: "", &options, &findings) }
                    if findings.isEmpty, let mistake = options.mistake {
                        findings.append(Finding(.told(mistake), at: node))
                    }
                    return options
                }
            },
            write: { value, _ in
                YAMLNode(
                    .map(
                        value.rules.map {
                            .init(name: $0.pattern.text, value: ChannelOptionKey.node($0.options, isComplete: false))
                        }))
            },
            split: { .text($0) })
    }

    /// Patterns in which `*` stands for any run of characters, each with one of the policies.
    static var slowConsumers: ValueType {
        let policies = SlowConsumerPolicy.allCases.map(\.rawValue).joined(separator: ", ")
        let allowed = "a map from patterns such as ticker.* to \(policies)"
        return ValueType(
            allowed: allowed,
            read: { node, findings in
                rules(node, allowed, &findings) { node, findings in
                    guard case .text(let text, _) = node.content, let policy = SlowConsumerPolicy(rawValue: text) else {
                        findings.append(.notAllowed(node, allowed))
                        return ChannelOptions()
                    }
                    return ChannelRules.Rule(ChannelPattern("*")!, slow: policy).options
                }
            },
            write: { value, _ in
                YAMLNode(.map(value.rules.map { .init(name: $0.pattern.text, value: .text($0.options.slow.rawValue)) }))
            },
            split: pairs)
    }

    /// A channel that gets its first subscriber is compared with every pattern.
    private static var mostRules: Int { 256 }

    private static func rules(
        _ node: YAMLNode, _ allowed: String, _ findings: inout [Finding],
        options: (YAMLNode, inout [Finding]) -> ChannelOptions
    ) -> ChannelRules? {
        guard let entries = entries(of: node, allowed: allowed, &findings) else { return nil }
        guard entries.count <= mostRules else {
            findings.append(Finding(.notAllowed(given: "\(entries.count) patterns", allowed: allowed), at: node))
            return nil
        }
        var rules: [ChannelRules.Rule] = []
        for entry in entries {
            let place = "[\(JSONQuoting.quoted(entry.name))]"
            guard let pattern = ChannelPattern(entry.name), !rules.contains(where: { $0.pattern == pattern }) else {
                findings.append(.notAllowed(entry.value, allowed, path: place))
                continue
            }
            var found: [Finding] = []
            rules.append(.init(pattern, options(entry.value, &found)))
            findings += found.map { $0.below(place) }
        }
        return ChannelRules(rules)
    }
}

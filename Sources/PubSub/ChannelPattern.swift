// A pattern for names of channels, for rules in the configuration: `*` stands for any run of characters, the empty one too.

/// Matches channel names: `news`, `ticker.*`, `room:*:typing`, `*`.
public struct ChannelPattern: Hashable, Sendable {
    /// The pattern as written.
    public let text: String
    /// What stands between the stars; one part when there is no star.
    private let parts: [[UInt8]]

    /// Nil when the text is empty, longer than a channel's name may be, or holds a control character.
    public init?(_ text: String) {
        guard Channel(text) != nil else { return nil }
        self.text = text
        parts = text.utf8.split(separator: UInt8(ascii: "*"), omittingEmptySubsequences: false).map(Array.init)
    }

    /// How exact the pattern is: of several that match, the one with the most bytes of its own is meant.
    public var literalCount: Int { parts.reduce(0) { $0 + $1.count } }

    /// Whether the pattern has no star, and so matches one name only.
    public var isExact: Bool { parts.count == 1 }

    public func matches(_ channel: Channel) -> Bool {
        let name = Array(channel.name.utf8)
        if isExact { return name == parts[0] }
        let (first, last) = (parts[0], parts[parts.count - 1])
        guard name.count >= first.count + last.count, name.starts(with: first), name.suffix(last.count) == last[...]
        else { return false }
        // Each part between two stars is taken at its first place; if that fails, no later place helps.
        var rest = name[first.count..<(name.count - last.count)]
        for part in parts.dropFirst().dropLast() where !part.isEmpty {
            guard let place = Self.firstIndex(of: part, in: rest) else { return false }
            rest = rest[(place + part.count)...]
        }
        return true
    }

    private static func firstIndex(of part: [UInt8], in bytes: ArraySlice<UInt8>) -> Int? {
        guard bytes.count >= part.count else { return nil }
        return (bytes.startIndex...(bytes.endIndex - part.count)).first { bytes[$0..<($0 + part.count)] == part[...] }
    }
}

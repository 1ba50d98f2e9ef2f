// The name of a channel, and patterns of names for the rules of the configuration. Every `Channel` is valid.
//
// Names are compared byte by byte, as scripts compare them. Swift's own comparison treats the two encodings of "é" as equal,
// so a script that admits a client to one channel would admit it to the other.

import Glibc

/// A valid channel name: 1 to 255 bytes of UTF-8 without control characters. Names are equal when their bytes are equal,
/// even where Unicode calls other names equivalent.
public struct Channel: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The longest name in bytes.
    public static let maxCount = 255

    public let name: String

    /// Nil when the name is empty, too long, or contains a control character (U+0000 to U+001F, U+007F to U+009F).
    public init?(_ name: String) {
        guard !name.isEmpty, name.utf8.count <= Self.maxCount else { return nil }
        for scalar in name.unicodeScalars where scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value) {
            return nil
        }
        self.name = name
    }

    /// The same for bytes; also nil when they are not UTF-8.
    public init?(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count <= Self.maxCount, let name = String(validating: bytes, as: UTF8.self) else { return nil }
        self.init(name)
    }

    public var description: String { name }

    public static func == (left: Channel, right: Channel) -> Bool { compare(left, right) == 0 }

    /// Names are in the order of their bytes.
    public static func < (left: Channel, right: Channel) -> Bool { compare(left, right) < 0 }

    public func hash(into hasher: inout Hasher) {
        Self.withBytes(of: name) { hasher.combine(bytes: $0) }
    }

    /// Calls `body` with the bytes of the name.
    func withBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result { Self.withBytes(of: name, body) }

    private static func compare(_ left: Channel, _ right: Channel) -> Int {
        withBytes(of: left.name) { left in
            withBytes(of: right.name) { right in
                let order = Int(memcmp(left.baseAddress!, right.baseAddress!, min(left.count, right.count)))
                return order == 0 ? left.count - right.count : order
            }
        }
    }

    private static func withBytes<Result>(of text: String, _ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        var text = text
        return text.withUTF8 { body(UnsafeRawBufferPointer($0)) }
    }
}

/// A pattern for channel names: `news`, `ticker.*`, `room:*:typing`, `*`. A star matches any run of characters, even an empty
/// one.
public struct ChannelPattern: Hashable, Sendable {
    /// The pattern as written.
    public let text: String
    /// The parts between the stars; one part when there is no star.
    private let parts: [[UInt8]]

    /// Nil when the text is empty, longer than the longest channel name, or contains a control character.
    public init?(_ text: String) {
        guard Channel(text) != nil else { return nil }
        self.text = text
        parts = text.utf8.split(separator: UInt8(ascii: "*"), omittingEmptySubsequences: false).map(Array.init)
    }

    /// The number of bytes besides the stars. Of several patterns that match, the one with the most is the most exact.
    public var literalCount: Int { parts.reduce(0) { $0 + $1.count } }

    /// Whether the pattern has no star, so that it matches only one name.
    public var isExact: Bool { parts.count == 1 }

    public func matches(_ channel: Channel) -> Bool { channel.withBytes { matches($0) } }

    private func matches(_ name: UnsafeRawBufferPointer) -> Bool {
        let (first, last) = (parts[0], parts[parts.count - 1])
        if isExact { return name.elementsEqual(first) }
        guard name.count >= first.count + last.count, name.starts(with: first),
            name.suffix(last.count).elementsEqual(last)
        else { return false }
        // Each part between two stars matches at its first place; if that fails, no later place helps.
        var rest = name[first.count..<(name.count - last.count)]
        for part in parts.dropFirst().dropLast() where !part.isEmpty {
            guard let place = Self.firstIndex(of: part, in: rest) else { return false }
            rest = rest[(place + part.count)...]
        }
        return true
    }

    private static func firstIndex(of part: [UInt8], in bytes: Slice<UnsafeRawBufferPointer>) -> Int? {
        guard bytes.count >= part.count else { return nil }
        return (bytes.startIndex...(bytes.endIndex - part.count)).first { bytes[$0...].starts(with: part) }
    }
}

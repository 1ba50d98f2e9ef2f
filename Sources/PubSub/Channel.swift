// A channel's name. Whoever holds a `Channel` holds a valid one.
//
// Names are compared byte by byte, as scripts compare them. Swift's own comparison of strings calls the two ways to
// write "é" the same, and a script that lets a client into the one channel would let it into the other.

import Glibc

/// A valid channel name: 1 to 255 bytes of UTF-8 without control characters. Names are equal when their bytes are,
/// whatever Unicode calls equivalent.
public struct Channel: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The most bytes a name may have.
    public static let maxCount = 255

    public let name: String

    /// Nil when the name is empty, too long, or holds a control character (U+0000 to U+001F, U+007F to U+009F).
    public init?(_ name: String) {
        guard !name.isEmpty, name.utf8.count <= Self.maxCount else { return nil }
        for scalar in name.unicodeScalars where scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value) {
            return nil
        }
        self.name = name
    }

    /// The same for bytes; nil as well when they are not UTF-8.
    public init?(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count <= Self.maxCount, let name = String(validating: bytes, as: UTF8.self) else { return nil }
        self.init(name)
    }

    public var description: String { name }

    public static func == (left: Channel, right: Channel) -> Bool { compare(left, right) == 0 }

    /// In the order of the names' bytes.
    public static func < (left: Channel, right: Channel) -> Bool { compare(left, right) < 0 }

    public func hash(into hasher: inout Hasher) {
        Self.withBytes(of: name) { hasher.combine(bytes: $0) }
    }

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

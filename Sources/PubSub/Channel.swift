// A channel's name. Whoever holds a `Channel` holds a valid one.

/// A valid channel name: 1 to 255 bytes of UTF-8 without control characters.
public struct Channel: Hashable, Sendable, CustomStringConvertible {
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
}

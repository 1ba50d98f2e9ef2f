// Checks text as it arrives, in pieces cut anywhere (RFC 3629, as RFC 6455, 8.1 asks). Whole characters are checked a
// word at a time; only a character that is cut by the end of a piece goes byte by byte, through the three bytes of
// state.
// Allocates: never.

/// An incremental UTF-8 check that refuses at the first byte that no valid text can have there.
public struct UTF8Validator: Sendable {
    /// How many bytes the open character still needs; 0 between characters.
    private var missing: UInt8 = 0
    /// The least and the greatest value that its next byte may have. After a refusal no value fits, so everything is
    /// refused.
    private var least: UInt8 = 0
    private var greatest: UInt8 = 0

    public init() {}

    /// Whether the text so far ends with a whole character.
    public var isComplete: Bool { missing == 0 }

    /// Checks the next piece: false as soon as no valid text can begin so, and for every byte after that.
    public mutating func consume(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var offset = 0
        while !isComplete, offset < bytes.count {
            guard step(bytes[offset]) else { return false }
            offset += 1
        }
        guard let base = bytes.baseAddress else { return true }
        guard Self.skipCharacters(base, bytes.count, &offset) else { return refuse() }
        while offset < bytes.count {
            guard step(bytes[offset]) else { return false }
            offset += 1
        }
        return true
    }

    /// Whether the bytes are, from first to last, valid UTF-8.
    public static func isValid(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var validator = UTF8Validator()
        return validator.consume(bytes) && validator.isComplete
    }

    /// Takes one byte (the table of RFC 3629, 4).
    private mutating func step(_ byte: UInt8) -> Bool {
        guard isComplete else {
            guard byte >= least, byte <= greatest else { return refuse() }
            return expect(missing - 1)
        }
        switch byte {
        case 0x00...0x7F: return true
        case 0xC2...0xDF: return expect(1)
        case 0xE0: return expect(2, from: 0xA0)
        case 0xED: return expect(2, to: 0x9F)
        case 0xE1...0xEF: return expect(2)
        case 0xF0: return expect(3, from: 0x90)
        case 0xF1...0xF3: return expect(3)
        case 0xF4: return expect(3, to: 0x8F)
        default: return refuse()
        }
    }

    private mutating func expect(_ count: UInt8, from least: UInt8 = 0x80, to greatest: UInt8 = 0xBF) -> Bool {
        (missing, self.least, self.greatest) = (count, least, greatest)
        return true
    }

    private mutating func refuse() -> Bool {
        (missing, least, greatest) = (1, 0xFF, 0x00)
        return false
    }
}

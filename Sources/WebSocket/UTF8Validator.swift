// Checks text as it arrives, in pieces cut anywhere (RFC 3629, as RFC 6455, 8.1 asks). Whole characters are checked a
// word at a time; only a character that the end of a piece cuts goes byte by byte, through the three bytes of state.
// Allocates: never.

/// An incremental UTF-8 check that fails at the first byte that no valid text can have there.
public struct UTF8Validator: Sendable {
    /// The number of bytes that the open character still needs; 0 between characters.
    private var missing: UInt8 = 0
    /// The least and the greatest value that its next byte may have. After a failure no value fits, so every later byte
    /// fails too.
    private var least: UInt8 = 0
    private var greatest: UInt8 = 0

    public init() {}

    /// Whether the text so far ends with a whole character.
    public var isComplete: Bool { missing == 0 }

    /// Checks the next piece: false as soon as no valid text can begin like this, and for every byte after that.
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

// The fast part of the check: characters that lie whole in the input, read sixteen bytes at a time while they are ASCII
// and four at a time while they are not.
extension UTF8Validator {
    /// Moves `offset` over whole characters while enough bytes follow to read words; false at one that is not valid.
    private static func skipCharacters(_ base: UnsafeRawPointer, _ count: Int, _ offset: inout Int) -> Bool {
        while count - offset >= 16 {
            let low = highBits(base, offset)
            let high = highBits(base, offset + 8)
            if low | high == 0 {
                offset += 16
                continue
            }
            let ascii = low != 0 ? low.trailingZeroBitCount : 64 + high.trailingZeroBitCount
            offset += ascii / 8
            guard skipMultibyte(base, count, &offset) else { return false }
        }
        return true
    }

    /// The highest bit of each of eight bytes, the first byte in the lowest place.
    private static func highBits(_ base: UnsafeRawPointer, _ offset: Int) -> UInt64 {
        UInt64(littleEndian: base.loadUnaligned(fromByteOffset: offset, as: UInt64.self)) & 0x8080_8080_8080_8080
    }

    /// Moves `offset` over a run of characters that are not ASCII.
    private static func skipMultibyte(_ base: UnsafeRawPointer, _ count: Int, _ offset: inout Int) -> Bool {
        while count - offset >= 4 {
            let word = UInt32(littleEndian: base.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
            if word & 0x80 == 0 { return true }
            let length = characterLength(word)
            if length == 0 { return false }
            offset += length
        }
        return true
    }

    /// The length of the character of two to four bytes at the start of `word`, whose lowest byte is the first; 0 when the
    /// character is not valid.
    private static func characterLength(_ word: UInt32) -> Int {
        if word & 0x00C0_C0F0 == 0x0080_80E0 {
            // The four bits of the first byte and the highest of the second: zero is overlong, 0xD with that bit is a
            // surrogate.
            let top = word & 0x200F
            return top != 0 && top != 0x200D ? 3 : 0
        }
        if word & 0x0000_C0E0 == 0x0000_80C0 {
            return word & 0x1E != 0 ? 2 : 0
        }
        if word & 0xC0C0_C0F8 == 0x8080_80F0 {
            // The plane of the character: zero is overlong, above 16 is beyond Unicode.
            let plane = (word & 0x7) << 2 | (word >> 12) & 0x3
            return plane >= 1 && plane <= 16 ? 4 : 0
        }
        return 0
    }
}

// Unmasking and checking in one pass. Most text is ASCII, which unmasking detects by itself; other text is checked while it
// is still in the first-level cache.
extension UTF8Validator {
    /// The number of bytes to unmask before they are checked: half of a usual first-level data cache.
    private static let blockSize = 16 * 1024

    /// Unmasks the next piece of a text in place and checks it. False as in `consume`; the rest then stays masked.
    mutating func unmask(_ piece: UnsafeMutableRawBufferPointer, key: UInt32, phase: Int) -> Bool {
        var start = 0
        while start < piece.count {
            let end = min(piece.count, start + Self.blockSize)
            let block = UnsafeMutableRawBufferPointer(rebasing: piece[start..<end])
            let isASCII = Mask.apply(block, key: key, phase: phase + start)
            guard isASCII && isComplete || consume(UnsafeRawBufferPointer(block)) else { return false }
            start = end
        }
        return true
    }
}

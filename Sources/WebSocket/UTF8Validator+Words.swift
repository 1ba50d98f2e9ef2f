// The fast part of the check: characters that lie whole in the input, read sixteen bytes at a time while they are ASCII
// and four at a time while they are not.

extension UTF8Validator {
    /// Moves `offset` over whole characters while enough bytes follow to read words; false at one that is not valid.
    static func skipCharacters(_ base: UnsafeRawPointer, _ count: Int, _ offset: inout Int) -> Bool {
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

    /// The highest bit of each of eight bytes, the first byte lowest.
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

    /// The length of the character of two to four bytes with which `word` begins, its first byte lowest; 0 when it is
    /// not valid.
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

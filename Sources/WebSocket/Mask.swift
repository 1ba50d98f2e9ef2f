// The XOR with a four-byte key that every frame from a client carries (RFC 6455, 5.3). The same operation masks and
// unmasks.
// Allocates: never.

/// Masking of payloads, in place.
public enum Mask {
    /// XORs a payload, or a piece of one, with its key.
    ///
    /// - Parameters:
    ///   - buffer: The bytes to change, at any alignment.
    ///   - key: The four bytes of the key as they lie in memory.
    ///   - phase: How many bytes of the payload came before `buffer`; 0 or more.
    /// - Returns: Whether every resulting byte is ASCII. It costs nothing here and saves text a second pass.
    @discardableResult
    public static func apply(_ buffer: UnsafeMutableRawBufferPointer, key: UInt32, phase: Int = 0) -> Bool {
        guard let base = buffer.baseAddress else { return true }
        let key = rotated(key, by: phase)
        let word = UInt64(key) << 32 | UInt64(key)
        let vector = SIMD4(repeating: word)
        var seen = SIMD4<UInt64>.zero
        var offset = 0
        while buffer.count - offset >= 32 {
            let bytes = base.loadUnaligned(fromByteOffset: offset, as: SIMD4<UInt64>.self) ^ vector
            base.storeBytes(of: bytes, toByteOffset: offset, as: SIMD4<UInt64>.self)
            seen |= bytes
            offset += 32
        }
        var seenWord = seen[0] | seen[1] | seen[2] | seen[3]
        while buffer.count - offset >= 8 {
            let bytes = base.loadUnaligned(fromByteOffset: offset, as: UInt64.self) ^ word
            base.storeBytes(of: bytes, toByteOffset: offset, as: UInt64.self)
            seenWord |= bytes
            offset += 8
        }
        seenWord |= applyByByte(buffer, from: offset, key: key)
        return seenWord & 0x8080_8080_8080_8080 == 0
    }

    /// Masks the last bytes, fewer than eight, from `start`, where the key is at its first byte again. Returns them ORed
    /// together.
    private static func applyByByte(_ buffer: UnsafeMutableRawBufferPointer, from start: Int, key: UInt32) -> UInt64 {
        var key = key.littleEndian
        var seen: UInt8 = 0
        for offset in start..<buffer.count {
            buffer[offset] ^= UInt8(truncatingIfNeeded: key)
            seen |= buffer[offset]
            key = key >> 8 | key << 24
        }
        return UInt64(seen)
    }

    /// The key as it applies `phase` bytes into the payload.
    private static func rotated(_ key: UInt32, by phase: Int) -> UInt32 {
        let shift = UInt32(truncatingIfNeeded: phase & 3) * 8
        let key = key.littleEndian
        return (key >> shift | key << ((32 - shift) & 31)).littleEndian
    }
}

// The checksum that version 2 of the PROXY protocol may carry: CRC-32 with Castagnoli's polynomial (RFC 3720, appendix B.4).

/// CRC-32C.
enum CRC32C {
    private static let polynomial: UInt32 = 0x82F6_3B78

    /// The checksum of the bytes, those in `hole` taken for zero: a checksum does not sum itself.
    static func of(_ bytes: UnsafeRawBufferPointer, zeroing hole: Range<Int> = 0..<0) -> UInt32 {
        var sum = UInt32.max
        for (offset, byte) in bytes.enumerated() {
            sum ^= hole.contains(offset) ? 0 : UInt32(byte)
            for _ in 0..<8 { sum = sum >> 1 ^ (sum & 1 == 1 ? polynomial : 0) }
        }
        return ~sum
    }
}

// The two to fourteen bytes before a payload (RFC 6455, 5.2):
//
//     FIN RSV1-3 opcode | MASK length | length of 2 or 8 bytes, when 126 or 127 | key of 4 bytes, when MASK
//
// Here is how a header is written; how a client's is read and judged is in FrameHeader+Parsing.swift.
// Allocates: never.

/// A frame's header.
public struct FrameHeader: Sendable {
    /// What the frame is for.
    let opcode: Opcode
    /// Whether the frame is the last of its message.
    let isFinal: Bool
    /// Whether the frame begins a compressed message (RFC 7692, 6).
    let isCompressed: Bool
    /// The bytes that this header takes: 2...14.
    let count: Int
    /// The bytes of payload that follow, 0 or more.
    let payload: Int
    /// The key that masks the payload, its four bytes as they lie in memory.
    let key: UInt32

    static let finalBit: UInt8 = 0x80
    static let reservedBits: UInt8 = 0x70
    /// RSV1, which permessage-deflate sets on the first frame of a compressed message.
    static let compressedBit: UInt8 = 0x40
    static let opcodeBits: UInt8 = 0x0F
    static let maskBit: UInt8 = 0x80

    /// The largest payload of a control frame (RFC 6455, 5.5).
    public static let maxControlPayload = 125
    /// The most bytes that a header takes: two, a length of eight, a key of four.
    public static let maxCount = 14

    /// The bytes of a server's header before `payload` bytes: 2, 4 or 10.
    public static func size(payload: Int) -> Int {
        payload <= 125 ? 2 : payload <= 0xFFFF ? 4 : 10
    }

    /// The bytes of a client's header before `payload` bytes: 6, 8 or 14.
    public static func maskedSize(payload: Int) -> Int {
        size(payload: payload) + 4
    }

    /// Writes the header of an unmasked frame, as a server sends it.
    ///
    /// - Parameters:
    ///   - opcode: What the frame is for.
    ///   - fin: Whether it ends its message.
    ///   - compressed: Whether it begins a message that is compressed.
    ///   - payload: How many bytes will follow; 0 or more, and at most 125 after a control opcode.
    ///   - to: Where to; room for `size(payload:)` bytes.
    /// - Returns: The bytes written.
    @discardableResult
    public static func write(
        opcode: Opcode, fin: Bool = true, compressed: Bool = false, payload: Int, to: UnsafeMutableRawPointer
    ) -> Int {
        let first = opcode.rawValue | (fin ? finalBit : 0) | (compressed ? compressedBit : 0)
        return write(first: first, mask: 0, payload: payload, to: to)
    }

    /// Writes the header of a masked frame, as a client sends it; the payload that follows must be masked with
    /// `Mask.apply`.
    ///
    /// - Parameters:
    ///   - opcode: What the frame is for.
    ///   - fin: Whether it ends its message.
    ///   - payload: How many bytes will follow; 0 or more, and at most 125 after a control opcode.
    ///   - key: The four bytes of the key as they lie in memory.
    ///   - to: Where to; room for `maskedSize(payload:)` bytes.
    /// - Returns: The bytes written.
    @discardableResult
    public static func writeMasked(
        opcode: Opcode, fin: Bool = true, payload: Int, key: UInt32, to: UnsafeMutableRawPointer
    ) -> Int {
        let count = write(first: opcode.rawValue | (fin ? finalBit : 0), mask: maskBit, payload: payload, to: to)
        to.storeBytes(of: key, toByteOffset: count, as: UInt32.self)
        return count + 4
    }

    private static func write(first: UInt8, mask: UInt8, payload: Int, to: UnsafeMutableRawPointer) -> Int {
        to.storeBytes(of: first, as: UInt8.self)
        switch size(payload: payload) {
        case 2:
            to.storeBytes(of: mask | UInt8(payload), toByteOffset: 1, as: UInt8.self)
            return 2
        case 4:
            to.storeBytes(of: mask | 126, toByteOffset: 1, as: UInt8.self)
            to.storeBytes(of: UInt16(payload).bigEndian, toByteOffset: 2, as: UInt16.self)
            return 4
        default:
            to.storeBytes(of: mask | 127, toByteOffset: 1, as: UInt8.self)
            to.storeBytes(of: UInt64(payload).bigEndian, toByteOffset: 2, as: UInt64.self)
            return 10
        }
    }
}

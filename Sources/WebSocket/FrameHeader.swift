// The two to fourteen bytes before a payload (RFC 6455, 5.2):
//
//     FIN RSV1-3 opcode | MASK length | length of 2 or 8 bytes, when 126 or 127 | key of 4 bytes, when MASK
//
// The first half of the file writes headers, the second half reads and checks a client's.
// Allocates: never.

/// The type of a frame: the low four bits of its first byte (RFC 6455, 5.2). A reserved value has no case, so
/// `init?(rawValue:)` fails for it.
public enum Opcode: UInt8, Sendable {
    /// A further piece of the message that an earlier `text` or `binary` frame opened.
    case continuation = 0
    /// The first, or only, piece of a message of UTF-8 text.
    case text = 1
    /// The first, or only, piece of a message of bytes.
    case binary = 2
    /// The last frame of its sender.
    case close = 8
    /// Asks the peer for a pong.
    case ping = 9
    /// Answers a ping.
    case pong = 10

    /// Whether the frame is a control frame: never fragmented, at most 125 bytes of payload (RFC 6455, 5.5).
    public var isControl: Bool { rawValue & 0x8 != 0 }
}

/// A frame's header.
public struct FrameHeader: Sendable {
    /// The type of the frame.
    let opcode: Opcode
    /// Whether the frame is the last of its message.
    let isFinal: Bool
    /// Whether the frame begins a compressed message (RFC 7692, 6).
    let isCompressed: Bool
    /// The size of this header in bytes: 2...14.
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
    /// The largest size of a header in bytes: two, a length of eight, a key of four.
    public static let maxCount = 14

    /// The size of a server's header before `payload` bytes: 2, 4 or 10.
    public static func size(payload: Int) -> Int {
        payload <= 125 ? 2 : payload <= 0xFFFF ? 4 : 10
    }

    /// The size of a client's header before `payload` bytes: 6, 8 or 14.
    public static func maskedSize(payload: Int) -> Int {
        size(payload: payload) + 4
    }

    /// Writes the header of an unmasked frame, as a server sends it.
    ///
    /// - Parameters:
    ///   - opcode: The type of the frame.
    ///   - fin: Whether it ends its message.
    ///   - compressed: Whether it begins a message that is compressed.
    ///   - payload: The size of the payload that follows; 0 or more, and at most 125 after a control opcode.
    ///   - to: The destination, with room for `size(payload:)` bytes.
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
    ///   - opcode: The type of the frame.
    ///   - fin: Whether it ends its message.
    ///   - payload: The size of the payload that follows; 0 or more, and at most 125 after a control opcode.
    ///   - key: The four bytes of the key as they lie in memory.
    ///   - to: The destination, with room for `maskedSize(payload:)` bytes.
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

// Each rule is applied as soon as the bytes that it needs have arrived, in the order of those bytes, so the result does not
// depend on how the stream is cut. permessage-deflate gives RSV1 a meaning on the first frame of a message and nowhere else.
extension FrameHeader {
    /// The result of reading the first bytes of a frame.
    enum Parsed {
        case incomplete
        case header(FrameHeader)
        case failure(CloseReason)
    }

    /// Reads a header from the front of `bytes`.
    ///
    /// - Parameters:
    ///   - bytes: The bytes of the frame so far; payload may follow.
    ///   - inMessage: Whether a fragmented message is open.
    ///   - room: How many bytes the message may still grow by.
    ///   - compression: Whether permessage-deflate is agreed on.
    static func parse(_ bytes: UnsafeRawBufferPointer, inMessage: Bool, room: Int, compression: Bool) -> Parsed {
        guard bytes.count >= 1, let base = bytes.baseAddress else { return .incomplete }
        let first = base.load(as: UInt8.self)
        let isCompressed = first & reservedBits != 0
        guard !isCompressed || compression && beginsCompressed(first) else { return .failure(.reservedBits) }
        guard let opcode = Opcode(rawValue: first & opcodeBits) else { return .failure(.unknownOpcode) }
        let isFinal = first & finalBit != 0
        if let breach = checkOrder(opcode, isFinal: isFinal, inMessage: inMessage) { return .failure(breach) }

        guard bytes.count >= 2 else { return .incomplete }
        let second = base.load(fromByteOffset: 1, as: UInt8.self)
        let short = Int(second & ~maskBit)
        if let breach = checkMask(second, opcode, short: short) { return .failure(breach) }

        let keyOffset = short <= 125 ? 2 : short == 126 ? 4 : 10
        guard bytes.count >= keyOffset else { return .incomplete }
        let length = readLength(base, short: short)
        if let breach = checkLength(length, opcode, short: short, room: room) { return .failure(breach) }

        guard bytes.count >= keyOffset + 4 else { return .incomplete }
        let key = base.loadUnaligned(fromByteOffset: keyOffset, as: UInt32.self)
        let count = keyOffset + 4
        return .header(
            FrameHeader(
                opcode: opcode, isFinal: isFinal, isCompressed: isCompressed, count: count, payload: Int(length),
                key: key))
    }

    /// Whether a first byte with reserved bits is that of a compressed message: RSV1 alone, on text or binary.
    private static func beginsCompressed(_ first: UInt8) -> Bool {
        guard first & reservedBits == compressedBit else { return false }
        return first & opcodeBits == Opcode.text.rawValue || first & opcodeBits == Opcode.binary.rawValue
    }

    private static func readLength(_ base: UnsafeRawPointer, short: Int) -> UInt64 {
        switch short {
        case 126: UInt64(UInt16(bigEndian: base.loadUnaligned(fromByteOffset: 2, as: UInt16.self)))
        case 127: UInt64(bigEndian: base.loadUnaligned(fromByteOffset: 2, as: UInt64.self))
        default: UInt64(short)
        }
    }

    /// The rules about FIN and about the order of frames.
    private static func checkOrder(_ opcode: Opcode, isFinal: Bool, inMessage: Bool) -> CloseReason? {
        if opcode.isControl { return isFinal ? nil : .fragmentedControl }
        if (opcode == .continuation) == inMessage { return nil }
        return inMessage ? .expectedContinuation : .unexpectedContinuation
    }

    /// The rules about the mask and the short lengths of control frames.
    private static func checkMask(_ second: UInt8, _ opcode: Opcode, short: Int) -> CloseReason? {
        guard second & maskBit != 0 else { return .maskMissing }
        return opcode.isControl && short > maxControlPayload ? .controlTooLong : nil
    }

    /// The rules about the encoding of a length, and the limit for it. A length that passes fits an `Int`.
    private static func checkLength(_ length: UInt64, _ opcode: Opcode, short: Int, room: Int) -> CloseReason? {
        guard length >> 63 == 0 else { return .lengthTooLarge }
        if short == 126 && length <= 125 || short == 127 && length <= 0xFFFF { return .lengthNotMinimal }
        return opcode.isControl || length <= room ? nil : .messageTooBig
    }
}

// Reading a client's header. Each rule is tried as soon as the bytes that it needs are there and in the order of those
// bytes, so the answer does not depend on how the stream was cut. permessage-deflate gives RSV1 a meaning, on the first
// frame of a message and nowhere else.

extension FrameHeader {
    /// What the first bytes of a frame turned out to be.
    enum Parsed {
        case incomplete
        case header(FrameHeader)
        case failure(CloseReason)
    }

    /// Reads a header from the front of `bytes`.
    ///
    /// - Parameters:
    ///   - bytes: What has arrived of the frame; payload may follow.
    ///   - inMessage: Whether a fragmented message is open.
    ///   - room: How many bytes the message may still grow.
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

    /// The rules about FIN and about which frame may follow which.
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

    /// The rules about the encoding of a length, and the limit that it must keep. What passes fits an `Int`.
    private static func checkLength(_ length: UInt64, _ opcode: Opcode, short: Int, room: Int) -> CloseReason? {
        guard length >> 63 == 0 else { return .lengthTooLarge }
        if short == 126 && length <= 125 || short == 127 && length <= 0xFFFF { return .lengthNotMinimal }
        return opcode.isControl || length <= room ? nil : .messageTooBig
    }
}

// ClientFrame: the bytes of one WebSocket frame as a client puts them on the wire (RFC 6455 section 5.2), in every shape,
// also those that the RFC forbids.

/// A frame to send, well formed unless it is told otherwise.
public struct ClientFrame {
    /// How the payload's length is written.
    public enum LengthForm: Sendable {
        /// The shortest form that fits, which is the only allowed one.
        case minimal
        /// 16 bits, after 126.
        case sixteenBits
        /// 64 bits, after 127.
        case sixtyFourBits
    }

    public var fin = true
    /// The three reserved bits, RSV1 is 4, RSV2 is 2, RSV3 is 1.
    public var rsv: UInt8 = 0
    /// 0 continuation, 1 text, 2 binary, 8 close, 9 ping, 10 pong; the others are reserved.
    public var opcode: UInt8
    public var masked = true
    public var mask: [UInt8] = [0x5A, 0xC3, 0x0F, 0x99]
    public var lengthForm = LengthForm.minimal
    /// The length that the header announces; nil: what the payload has.
    public var declaredLength: UInt64?
    public var payload: [UInt8]

    public init(opcode: UInt8, payload: [UInt8] = []) {
        self.opcode = opcode
        self.payload = payload
    }

    /// A text frame.
    public static func text(_ text: String) -> ClientFrame {
        ClientFrame(opcode: 1, payload: Array(text.utf8))
    }

    /// A close frame's payload: the code in network order, then the reason; empty without a code.
    public static func close(code: UInt16?, reason: String = "") -> ClientFrame {
        let digits = code.map { [UInt8($0 >> 8), UInt8($0 & 0xFF)] } ?? []
        return ClientFrame(opcode: 8, payload: digits + Array(reason.utf8))
    }

    /// The frame on the wire.
    public var bytes: [UInt8] {
        var bytes = [(fin ? 0x80 : 0) | rsv << 4 | opcode]
        bytes += lengthField
        guard masked else { return bytes + payload }
        bytes += mask
        bytes.reserveCapacity(bytes.count + payload.count)
        for (index, byte) in payload.enumerated() { bytes.append(byte ^ mask[index & 3]) }
        return bytes
    }

    private var lengthField: [UInt8] {
        let length = declaredLength ?? UInt64(payload.count)
        let maskBit: UInt8 = masked ? 0x80 : 0
        switch (lengthForm, length) {
        case (.minimal, ..<126):
            return [maskBit | UInt8(length)]
        case (.minimal, ...0xFFFF), (.sixteenBits, _):
            return [maskBit | 126] + Self.bigEndian(length, bytes: 2)
        case (.minimal, _), (.sixtyFourBits, _):
            return [maskBit | 127] + Self.bigEndian(length, bytes: 8)
        }
    }

    private static func bigEndian(_ number: UInt64, bytes count: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: number >> (8 * (count - 1 - $0))) }
    }
}

// WebSocket frames (RFC 6455 section 5): ClientFrame writes one as a client sends it, in every shape, also in forbidden ones;
// ServerFrame reads one and holds the server to the rules.
//
// Read next: WebSocketClient.swift.

/// A frame to send, well formed unless a property says otherwise.
public struct ClientFrame {
    /// The form of the payload's length.
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
    /// The length in the header; nil for the payload's own.
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

/// A frame from the server, checked: no mask, no reserved bit (except RSV1 on a compressed message after an agreement), a known
/// opcode, the shortest length, control frames whole and at most 125 bytes.
public struct ServerFrame: Equatable {
    public let fin: Bool
    /// Whether it begins a compressed message (RSV1, RFC 7692 section 6).
    public let compressed: Bool
    /// 0 continuation, 1 text, 2 binary, 8 close, 9 ping, 10 pong.
    public let opcode: UInt8
    public let payload: [UInt8]

    var isControl: Bool { opcode & 8 != 0 }

    static func read(
        from reader: ByteReader, for wanted: String, by deadline: Deadline, compression: Bool = false
    ) throws(ClientError) -> Self {
        let head = try reader.read(count: 2, for: wanted, by: deadline)
        let compressed = head[0] & 0x70 == 0x40 && compression && [1, 2].contains(head[0] & 0x0F)
        guard head[0] & 0x70 == 0 || compressed else {
            throw .violation("reserved bits in frame head \(ClientError.excerpt(head))")
        }
        guard head[1] & 0x80 == 0 else { throw .violation("a masked frame from the server") }
        let (fin, opcode) = (head[0] & 0x80 != 0, head[0] & 0x0F)
        let length = try readLength(head[1] & 0x7F, from: reader, by: deadline)
        try check(fin: fin, opcode: opcode, length: length)
        let payload = try reader.read(count: Int(length), for: "a payload of \(length) bytes", by: deadline)
        return ServerFrame(fin: fin, compressed: compressed, opcode: opcode, payload: payload)
    }

    private static func readLength(
        _ short: UInt8, from reader: ByteReader, by deadline: Deadline
    ) throws(ClientError) -> UInt64 {
        guard short >= 126 else { return UInt64(short) }
        let field = try reader.read(count: short == 126 ? 2 : 8, for: "a frame's length", by: deadline)
        let length = field.reduce(0 as UInt64) { $0 << 8 | UInt64($1) }
        guard length > (short == 126 ? 125 : 0xFFFF) else {
            throw .violation("length \(length) in \(field.count) bytes: not the shortest form")
        }
        return length
    }

    private static func check(fin: Bool, opcode: UInt8, length: UInt64) throws(ClientError) {
        guard length <= 1 << 30 else { throw .violation("a frame of \(length) bytes") }
        guard [0, 1, 2, 8, 9, 10].contains(opcode) else { throw .violation("opcode \(opcode)") }
        guard opcode & 8 != 0 else { return }
        guard fin else { throw .violation("a control frame in fragments") }
        guard length <= 125 else { throw .violation("a control frame of \(length) bytes") }
    }
}

// ServerFrame: one frame as the server sent it, read and held to what RFC 6455 section 5 demands of a server: no mask, no
// reserved bit but that of a compressed message where compression was agreed on, a known opcode, the shortest length, control frames whole and at most 125 bytes.

/// A frame from the server.
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

// What a frame is for: the low four bits of its first byte (RFC 6455, 5.2). The ten values that the RFC keeps for later
// have no case, so an unknown opcode is a failed `init?(rawValue:)`.

/// The kind of a frame (RFC 6455, 5.2).
public enum Opcode: UInt8, Sendable {
    /// A further piece of the message that an earlier `text` or `binary` frame opened.
    case continuation = 0
    /// The first, or only, piece of a message of UTF-8 text.
    case text = 1
    /// The first, or only, piece of a message of bytes.
    case binary = 2
    /// The last frame of its sender.
    case close = 8
    /// A question whether the peer is alive.
    case ping = 9
    /// The answer to a ping.
    case pong = 10

    /// Whether the frame is a control frame: never fragmented, at most 125 bytes of payload (RFC 6455, 5.5).
    public var isControl: Bool { rawValue & 0x8 != 0 }
}

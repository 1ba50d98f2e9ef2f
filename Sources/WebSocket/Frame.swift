// A frame as the server sends it, encoded once. A server's frames carry no mask, so every subscriber of a channel gets
// the same bytes, and all connections on all threads share them.
// Allocates: once per frame; header and payload lie in one block.
// Read next: FrameStorage.swift, FrameForms.swift.

/// An encoded, immutable, unmasked frame that is shared by reference.
///
/// `@unchecked Sendable` because its storage is written before it is shared and never afterwards, except for the atomic
/// references to its other forms.
public struct Frame: @unchecked Sendable {
    let storage: FrameStorage

    /// The bytes on the wire: header and payload.
    public var count: Int { storage.count }

    /// The bytes of payload.
    public var payloadCount: Int { count - storage.payloadOffset }

    /// The bytes on the wire, contiguous; valid while a copy of this frame lives.
    public var bytes: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: storage.start, count: count)
    }

    /// The object that keeps `bytes` alive, for code that holds them without knowing frames.
    public var owner: AnyObject { storage }

    /// The payload within `bytes`; valid while a copy of this frame lives.
    public var payload: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: bytes[storage.payloadOffset...])
    }

    /// Whether a message is binary; meaningless for a control frame.
    public var isBinary: Bool { storage.start.load(as: UInt8.self) & FrameHeader.opcodeBits == Opcode.binary.rawValue }

    /// Calls `body` with the bytes on the wire and keeps the frame alive until it returns.
    public func withUnsafeBytes<Value, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Value
    ) throws(Failure) -> Value {
        defer { withExtendedLifetime(storage) {} }
        return try body(bytes)
    }

    /// Whether both are the same frame in memory; equal bytes are not enough.
    public static func === (left: Frame, right: Frame) -> Bool {
        left.storage === right.storage
    }

    /// A whole text message. The caller guarantees that the payload is UTF-8.
    public static func text(_ payload: UnsafeRawBufferPointer) -> Frame {
        Frame(.text, payload)
    }

    /// A whole text message.
    public static func text(_ payload: String) -> Frame {
        var payload = payload
        return payload.withUTF8 { text(UnsafeRawBufferPointer($0)) }
    }

    /// A whole binary message.
    public static func binary(_ payload: UnsafeRawBufferPointer) -> Frame {
        Frame(.binary, payload)
    }

    /// A whole binary message.
    public static func binary(_ payload: [UInt8]) -> Frame {
        payload.withUnsafeBytes { binary($0) }
    }

    init(_ opcode: Opcode, _ payload: UnsafeRawBufferPointer) {
        storage = FrameStorage.encode(opcode, payload)
    }

    init(_ storage: FrameStorage) {
        self.storage = storage
    }
}

// The control frames that a server sends (RFC 6455, 5.5).
extension Frame {
    /// A ping; at most 125 bytes.
    public static func ping(_ payload: UnsafeRawBufferPointer = UnsafeRawBufferPointer(start: nil, count: 0)) -> Frame {
        control(.ping, payload)
    }

    /// The answer to a ping, with the ping's own payload; at most 125 bytes.
    public static func pong(_ payload: UnsafeRawBufferPointer = UnsafeRawBufferPointer(start: nil, count: 0)) -> Frame {
        control(.pong, payload)
    }

    /// A Close frame.
    ///
    /// - Parameters:
    ///   - code: A code that must not be sent, such as `noStatus`, gives a Close frame without a body.
    ///   - reason: The reason in words, cut to 123 bytes at the end of a character.
    public static func close(_ code: CloseCode, reason: String = "") -> Frame {
        guard code.isValidOnWire else { return control(.close, UnsafeRawBufferPointer(start: nil, count: 0)) }
        return withUnsafeTemporaryAllocation(byteCount: FrameHeader.maxControlPayload, alignment: 2) { body in
            body.storeBytes(of: code.rawValue.bigEndian, as: UInt16.self)
            var count = 2
            for character in reason.unicodeScalars {
                let bytes = UTF8.encode(character)!
                guard count + bytes.count <= body.count else { break }
                for byte in bytes {
                    body[count] = byte
                    count += 1
                }
            }
            return control(.close, UnsafeRawBufferPointer(rebasing: body[..<count]))
        }
    }

    /// The Close frame for one of the server's own reasons; without a body where the reason has no code to send.
    public static func close(for reason: CloseReason) -> Frame {
        close(reason.code, reason: reason.text)
    }

    private static func control(_ opcode: Opcode, _ payload: UnsafeRawBufferPointer) -> Frame {
        precondition(payload.count <= FrameHeader.maxControlPayload, "a control frame carries at most 125 bytes")
        return Frame(opcode, payload)
    }
}

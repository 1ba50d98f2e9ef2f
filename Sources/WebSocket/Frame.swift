// A frame as the server sends it, encoded once. Frames from a server carry no mask, so the same bytes go to every
// subscriber of a channel and may be shared by all connections of all threads.
// Allocates: once per frame; header and payload lie in one block.
// Read next: Frame+Control.swift.

/// An encoded, immutable, unmasked frame that is shared by reference.
///
/// `@unchecked Sendable` because its storage is written before anybody else holds it, and never afterwards, but for the
/// atomic reference to its compressed twin.
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

    /// What keeps `bytes` alive, for whoever must hold them without knowing what a frame is.
    public var owner: AnyObject { storage }

    /// The payload within `bytes`; valid while a copy of this frame lives.
    public var payload: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: bytes[storage.payloadOffset...])
    }

    /// Whether it is a binary message, if it is a message.
    public var isBinary: Bool { storage.start.load(as: UInt8.self) & FrameHeader.opcodeBits == Opcode.binary.rawValue }

    /// Calls `body` with the bytes on the wire, and keeps the frame alive until it returns.
    public func withUnsafeBytes<Value, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Value
    ) throws(Failure) -> Value {
        defer { withExtendedLifetime(storage) {} }
        return try body(bytes)
    }

    /// Whether both are the same frame in memory, which is what sharing means; equal bytes are not enough.
    public static func === (left: Frame, right: Frame) -> Bool {
        left.storage === right.storage
    }

    /// A whole text message. Whether the payload is UTF-8 is the caller's to know.
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

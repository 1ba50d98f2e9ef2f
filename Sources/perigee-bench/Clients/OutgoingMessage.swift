// The message that clients send, masked once; only its time stamp changes from one sending to the next.

import WebSocket

/// A client's text frame of a fixed size.
struct OutgoingMessage {
    /// Any key will do: a server unmasks whatever it is.
    private static let key: UInt32 = 0x5EC3_91A7

    private var frame: [UInt8]
    private let header: Int

    /// - Parameter size: the payload's bytes, at least `MessageStamp.count`.
    init(size: Int) {
        header = FrameHeader.maskedSize(payload: size)
        frame = [UInt8](repeating: UInt8(ascii: "x"), count: header + size)
        frame.withUnsafeMutableBytes { [header] bytes in
            FrameHeader.writeMasked(opcode: .text, payload: size, key: Self.key, to: bytes.baseAddress!)
            Mask.apply(UnsafeMutableRawBufferPointer(rebasing: bytes[header...]), key: Self.key)
        }
    }

    /// The bytes on the wire.
    var count: Int { frame.count }

    func write(stamp: UInt64, to address: UnsafeMutableRawPointer) {
        frame.withUnsafeBytes { address.copyMemory(from: $0.baseAddress!, byteCount: $0.count) }
        MessageStamp.write(stamp, to: address + header)
        Mask.apply(UnsafeMutableRawBufferPointer(start: address + header, count: MessageStamp.count), key: Self.key)
    }
}

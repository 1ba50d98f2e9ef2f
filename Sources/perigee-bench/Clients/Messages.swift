// The messages of the load, out and in: a client's text frame that is masked once, the time stamp at its front, and the
// server's frames cut out of a client's byte stream.
//
// The reader trusts the server under test to keep to RFC 6455; tests hold the server to it.
//
// Allocates: only for a frame that arrives in pieces.
// Read next: LoadClient.swift.

import WebSocket

/// The time of sending at the front of a message: "T" and sixteen hexadecimal digits of nanoseconds. It is text because most
/// clients send text, and because text costs a server most.
enum MessageStamp {
    /// The bytes it takes.
    static let count = 17

    private static let mark = UInt8(ascii: "T")
    private static let digits: StaticString = "0123456789abcdef"

    static func write(_ nanoseconds: UInt64, to bytes: UnsafeMutableRawPointer) {
        bytes.storeBytes(of: mark, as: UInt8.self)
        for place in 0..<16 {
            let digit = Int(nanoseconds >> UInt64(60 - 4 * place)) & 15
            bytes.storeBytes(of: digits.utf8Start[digit], toByteOffset: place + 1, as: UInt8.self)
        }
    }

    /// The time in `payload`; nil for a message without a stamp.
    static func read(_ payload: UnsafeRawBufferPointer) -> UInt64? {
        guard payload.count >= count, payload[0] == mark else { return nil }
        var nanoseconds: UInt64 = 0
        for byte in payload[1..<count] {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"):
                nanoseconds = nanoseconds << 4 | UInt64(byte - UInt8(ascii: "0"))
            case UInt8(ascii: "a")...UInt8(ascii: "f"):
                nanoseconds = nanoseconds << 4 | UInt64(byte - UInt8(ascii: "a") + 10)
            default: return nil
            }
        }
        return nanoseconds
    }
}

/// A client's text frame of a fixed size, masked once: only its time stamp changes from one sending to the next.
struct OutgoingMessage {
    /// The key makes no difference: a server unmasks with any.
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

/// Cuts the server's byte stream into frames.
struct MessageReader {
    enum Opcode {
        static let text: UInt8 = 1
        static let binary: UInt8 = 2
        static let close: UInt8 = 8
        static let ping: UInt8 = 9
    }

    private var carry: [UInt8] = []

    /// Set beside the opcode of a compressed message.
    static let compressed: UInt8 = 0x40

    /// Calls `frame` for each complete frame, with the opcode (and `compressed` beside it) and the payload.
    mutating func read(_ bytes: UnsafeRawBufferPointer, _ frame: (UInt8, UnsafeRawBufferPointer) -> Void) {
        guard !carry.isEmpty else {
            let used = Self.parse(bytes, frame)
            if used < bytes.count { carry.append(contentsOf: bytes[used...]) }
            return
        }
        carry.append(contentsOf: bytes)
        let used = carry.withUnsafeBytes { Self.parse($0, frame) }
        carry.removeFirst(used)
    }

    /// Returns the number of bytes that the complete frames take.
    private static func parse(_ bytes: UnsafeRawBufferPointer, _ frame: (UInt8, UnsafeRawBufferPointer) -> Void) -> Int
    {
        var start = 0
        while bytes.count - start >= 2 {
            let short = Int(bytes[start + 1] & 0x7F)
            let header = short < 126 ? 2 : short == 126 ? 4 : 10
            guard bytes.count - start >= header else { return start }
            var length = short
            if header > 2 {
                length = bytes[start + 2..<start + header].reduce(0) { $0 << 8 | Int($1) }
            }
            guard length <= bytes.count - start - header else { return start }
            let payload = UnsafeRawBufferPointer(rebasing: bytes[start + header..<start + header + length])
            frame(bytes[start] & (0x0F | compressed), payload)
            start += header + length
        }
        return start
    }
}

// The server's frames out of a client's byte stream. It trusts the server under test to keep to RFC 6455: that it does
// is for tests to show.
//
// Allocates: only for a frame that arrives in pieces.

/// Cuts a stream into frames.
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

    /// Calls `frame` with the opcode, `compressed` beside it, and the payload of each frame that is complete.
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

    /// Answers how many bytes the complete frames take.
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

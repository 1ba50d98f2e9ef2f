// zlib as a client uses it. The code under test must agree with it.

import CZlib
import SeededGenerator

enum RawDeflate {
    /// A client's payloads for `messages`: each is flushed and lacks its last four bytes.
    static func compress(
        _ messages: [[UInt8]], windowBits: Int32 = 15, level: Int32 = 6, keepsContext: Bool = false,
        flush: Int32 = Z_SYNC_FLUSH
    ) -> [[UInt8]] {
        let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
        stream.initialize(to: z_stream())
        defer { stream.deallocate() }
        _ = perigee_deflate_begin(stream, level, windowBits, 8)
        defer { deflateEnd(stream) }
        return messages.map { message in
            if !keepsContext { deflateReset(stream) }
            var message = message
            var output = [UInt8](repeating: 0, count: message.count + message.count / 8 + 1024)
            let count = message.withUnsafeMutableBufferPointer { source in
                output.withUnsafeMutableBufferPointer { target in
                    stream.pointee.next_in = source.baseAddress
                    stream.pointee.avail_in = UInt32(source.count)
                    stream.pointee.next_out = target.baseAddress
                    stream.pointee.avail_out = UInt32(target.count)
                    deflate(stream, flush)
                    return target.count - Int(stream.pointee.avail_out)
                }
            }
            return Array(output[..<(flush == Z_SYNC_FLUSH ? count - 4 : count)])
        }
    }

    static func compress(_ message: [UInt8], flush: Int32 = Z_SYNC_FLUSH) -> [UInt8] {
        compress([message], flush: flush)[0]
    }

    /// A client's result for the payloads; nil for one that zlib refuses or that is not complete.
    ///
    /// zlib writes it in small pieces, so that everything a payload refers to must be in the window.
    static func inflate(_ payloads: [[UInt8]], windowBits: Int32 = 15, keepsContext: Bool = false) -> [[UInt8]?] {
        let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
        stream.initialize(to: z_stream())
        defer { stream.deallocate() }
        _ = perigee_inflate_begin(stream, windowBits)
        defer { inflateEnd(stream) }
        return payloads.map { payload in
            if !keepsContext { inflateReset(stream) }
            var input = payload + [0, 0, 0xFF, 0xFF]
            return input.withUnsafeMutableBufferPointer { source in
                stream.pointee.next_in = source.baseAddress
                stream.pointee.avail_in = UInt32(source.count)
                return drain(stream)
            }
        }
    }

    private static func drain(_ stream: UnsafeMutablePointer<z_stream>) -> [UInt8]? {
        var (output, isBetweenBlocks) = ([UInt8](), false)
        var piece = [UInt8](repeating: 0, count: 300)
        while true {
            let result = piece.withUnsafeMutableBufferPointer { target in
                stream.pointee.next_out = target.baseAddress
                stream.pointee.avail_out = UInt32(target.count)
                return CZlib.inflate(stream, Z_SYNC_FLUSH)
            }
            output += piece[..<(piece.count - Int(stream.pointee.avail_out))]
            guard result == Z_OK || result == Z_BUF_ERROR && stream.pointee.avail_in == 0 else { return nil }
            // A call without input resets the end of the previous one.
            if result == Z_OK { isBetweenBlocks = stream.pointee.data_type & 128 != 0 }
            if stream.pointee.avail_out > 0 { return isBetweenBlocks ? output : nil }
        }
    }
}

/// Texts like those that backends push: JSON with repeated names.
enum SampleText {
    static func json(_ count: Int, seed: UInt64 = 1) -> [UInt8] {
        var generator = SeededGenerator(seed: seed)
        var text = ""
        while text.utf8.count < count {
            let name = ["alice", "bob", "carol", "dave"].randomElement(using: &generator)!
            text += #"{"user":"\#(name)","price":\#(Int.random(in: 0...99_999, using: &generator)),"text":"filled"},"#
        }
        return Array(text.utf8.prefix(count))
    }
}

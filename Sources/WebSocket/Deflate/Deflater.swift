// Compression of messages (RFC 7692, 7.2.1).
// Runs on: the thread of its loop.
// Allocates: at `init`, 262 KiB for a window of 15 bits and 24 KiB for one of 9, if it keeps its context.

import CZlib

/// A compressor: one for all connections of a loop whose windows are equal, or one for a connection that is allowed to
/// refer to earlier messages.
public final class Deflater {
    /// The number of bytes at the end of each flush that are not sent: 00 00 FF FF.
    private static let tailCount = 4

    /// zlib keeps a pointer back to it, so it must not move.
    private let stream: UnsafeMutablePointer<z_stream>
    private let keepsContext: Bool

    /// - Parameters:
    ///   - level: 1 to 9.
    ///   - windowBits: The base-2 logarithm of the window, 9 to 15.
    ///   - keepsContext: Whether a message may refer to those before it.
    public init(level: Int, windowBits: Int, keepsContext: Bool) {
        self.keepsContext = keepsContext
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        // A loop's shared compressor gets zlib's default; a connection's own gets a hash table as large as its window.
        let memoryLevel = keepsContext ? max(5, windowBits - 7) : 8
        let result = perigee_deflate_begin(stream, Int32(level), Int32(windowBits), Int32(memoryLevel))
        precondition(result == Z_OK, "zlib cannot begin to deflate: \(result)")
    }

    deinit {
        deflateEnd(stream)
        stream.deallocate()
    }

    /// Deflates one message into `output`; false when the result would be larger than `limit` bytes. Set a limit only on a
    /// compressor that keeps no context.
    ///
    /// - Parameter payload: The message, 1 byte to 4 GiB; for zlib a second flush without input is an error.
    func deflate(_ payload: UnsafeRawBufferPointer, into output: inout ScratchBytes, limit: Int = .max - 8) -> Bool {
        output.clear()
        if !keepsContext { deflateReset(stream) }
        let start = payload.baseAddress?.assumingMemoryBound(to: UInt8.self)
        stream.pointee.next_in = UnsafeMutablePointer(mutating: start)
        stream.pointee.avail_in = UInt32(payload.count)
        repeat {
            // One byte more, because a flush is complete only when it leaves some room.
            guard let room = output.room(limit: limit + Self.tailCount + 1) else { return false }
            stream.pointee.next_out = room.baseAddress!.assumingMemoryBound(to: UInt8.self)
            stream.pointee.avail_out = UInt32(room.count)
            CZlib.deflate(stream, Z_SYNC_FLUSH)
            output.fill(room.count - Int(stream.pointee.avail_out))
        } while stream.pointee.avail_out == 0
        output.removeLast(Self.tailCount)
        return true
    }
}

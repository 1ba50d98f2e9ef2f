// Decompression of messages (RFC 7692, 7.2.2). The limit applies while inflating: a few bytes that stand for gigabytes
// never take more memory than the limit.
// Runs on: the thread of its loop.
// Allocates: some 10 KiB at first use, and a window when a message does not fit the output at once.

import CZlib

/// A decompressor: one for all connections of a loop, or one for a connection whose client refers to earlier messages.
public final class Inflater {
    /// The end that the sender removes and the decompressor needs: the rest of an empty stored block.
    private static let tail = UInt32(0xFFFF_0000).littleEndian

    /// zlib keeps a pointer back to it, so it must not move.
    private let stream: UnsafeMutablePointer<z_stream>
    private let keepsContext: Bool

    /// - Parameters:
    ///   - windowBits: The base-2 logarithm of the sender's window, 8 to 15; a larger one here does no harm.
    ///   - keepsContext: Whether a message may refer to those before it.
    public init(windowBits: Int, keepsContext: Bool) {
        self.keepsContext = keepsContext
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        // Some senders use 9 bits for 8, as zlib itself once did.
        let result = perigee_inflate_begin(stream, Int32(max(9, windowBits)))
        precondition(result == Z_OK, "zlib cannot begin to inflate: \(result)")
    }

    deinit {
        inflateEnd(stream)
        stream.deallocate()
    }

    /// Inflates the payload of one message into `output`; returns the fault, or nil when there is none.
    ///
    /// - Parameters:
    ///   - payload: The joined payloads of the message's frames, at most 4 GiB.
    ///   - limit: The largest size of the result in bytes.
    func inflate(
        _ payload: UnsafeRawBufferPointer, into output: inout ScratchBytes, limit: Int
    ) -> CloseReason? {
        output.clear()
        // Some senders write the empty message as no bytes at all; it should be one zero byte.
        guard !payload.isEmpty else { return nil }
        if !keepsContext { inflateReset(stream) }
        switch take(payload, into: &output, limit: limit) {
        case .failed(let reason): return reason
        case .streamEnded: return nil
        case .wantsMore: break
        }
        switch withUnsafeBytes(of: Self.tail, { take($0, into: &output, limit: limit) }) {
        case .failed(let reason): return reason
        case .streamEnded: return .corruptCompression
        case .wantsMore: return isBetweenBlocks ? nil : .corruptCompression
        }
    }

    /// The state after an input.
    private enum Progress {
        case wantsMore
        /// The input ended with a block that is marked as the last of its stream.
        case streamEnded
        case failed(CloseReason)
    }

    /// Inflates all of `input`.
    ///
    /// A sender may end its stream within a message (BFINAL, RFC 7692, 7.2.3.4); the next block then begins a new stream,
    /// which may refer to the bytes of the old one.
    private func take(
        _ input: UnsafeRawBufferPointer, into output: inout ScratchBytes, limit: Int
    ) -> Progress {
        let start = input.baseAddress!.assumingMemoryBound(to: UInt8.self)
        stream.pointee.next_in = UnsafeMutablePointer(mutating: start)
        stream.pointee.avail_in = UInt32(input.count)
        while true {
            // One byte more than the limit: a message that needs it is too big.
            guard let room = output.room(limit: limit + 1) else { return .failed(.messageTooBig) }
            let result = step(room)
            output.fill(room.count - Int(stream.pointee.avail_out))
            guard output.count <= limit else { return .failed(.messageTooBig) }
            switch result {
            case Z_OK, Z_BUF_ERROR:
                if stream.pointee.avail_out > 0 { return .wantsMore }
            case Z_STREAM_END:
                inflateResetKeep(stream)
                if stream.pointee.avail_in == 0 { return .streamEnded }
            case Z_MEM_ERROR:
                return .failed(.internalError)
            default:
                return .failed(.corruptCompression)
            }
        }
    }

    private func step(_ room: UnsafeMutableRawBufferPointer) -> Int32 {
        stream.pointee.next_out = room.baseAddress!.assumingMemoryBound(to: UInt8.self)
        stream.pointee.avail_out = UInt32(room.count)
        return CZlib.inflate(stream, Z_SYNC_FLUSH)
    }

    /// Whether the input so far ended exactly at the end of a block, so that nothing of the message is missing. Valid only
    /// after a call with input. That is the one call for the tail: by then a whole message has written all its output.
    private var isBetweenBlocks: Bool { stream.pointee.data_type & 0xFF == 128 }
}

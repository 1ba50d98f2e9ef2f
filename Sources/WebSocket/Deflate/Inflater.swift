// Decompression of messages (RFC 7692, 7.2.2). The limit holds while inflating: of a few bytes that stand for gigabytes,
// no more than the limit is ever in memory.
// Runs on: the thread of its loop.
// Allocates: some 10 KiB at first use, and a window when a message is longer than what it is handed at once.

import CZlib

/// A decompressor: one for all connections of a loop, or one for a connection whose client refers to earlier messages.
public final class Inflater {
    /// The end that a sender has taken off, and that the decompressor needs again: the rest of an empty stored block.
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
        // There are senders that take 9 bits for 8, as zlib itself once did.
        let result = perigee_inflate_begin(stream, Int32(max(9, windowBits)))
        precondition(result == Z_OK, "zlib cannot begin to inflate: \(result)")
    }

    deinit {
        inflateEnd(stream)
        stream.deallocate()
    }

    /// Inflates the payload of one message into `output`; answers what is wrong with it, nil when nothing is.
    ///
    /// - Parameters:
    ///   - payload: What the message's frames carried, at most 4 GiB.
    ///   - limit: The most bytes that may come of it.
    func inflate(
        _ payload: UnsafeRawBufferPointer, into output: inout ScratchBytes, limit: Int
    ) -> CloseReason? {
        output.clear()
        // Nothing at all is how some senders write the empty message, which should be one zero byte.
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

    /// What an input has led to.
    private enum Progress {
        case wantsMore
        /// The input ended with a block that is marked as the last of its stream.
        case streamEnded
        case failed(CloseReason)
    }

    /// Inflates all of `input`.
    ///
    /// A sender may end its stream within a message (BFINAL, RFC 7692, 7.2.3.4); what follows begins a new one, which may
    /// refer to the bytes of the old one.
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

    /// Whether the input so far ended exactly where a block ends, so that nothing of the message is missing. Known only
    /// after a call that was given input, as the tail's one call is: what is whole has put out everything before it.
    private var isBetweenBlocks: Bool { stream.pointee.data_type & 0xFF == 128 }
}

// Messages out: which form of a frame a connection gets, and the compression of a message that is for one client alone.

extension Compression {
    /// zlib counts in 32 bits, and a message of such a size is better not held up.
    private static let largest = 1 << 30

    /// Whether a message of so many bytes is worth compressing.
    public func isWorthwhile(_ count: Int) -> Bool {
        count >= policy.threshold && count <= Self.largest && count > 0
    }

    /// The form of a text or binary frame for connections without server context takeover: compressed, or as it is where
    /// that is smaller or the message is below the threshold. Shared by all threads for the policy's own window.
    public func form(of frame: Frame, windowBits: Int) -> Frame {
        guard isWorthwhile(frame.payloadCount) else { return frame }
        if windowBits == policy.windowBits {
            return Frame(frame.storage.twin { compress(frame, windowBits: windowBits) })
        }
        return narrowFrames.form(of: frame, windowBits: windowBits) {
            compress(frame, windowBits: windowBits).map(Frame.init) ?? frame
        }
    }

    private func compress(_ frame: Frame, windowBits: Int) -> FrameStorage? {
        guard let payload = deflate(frame.payload, windowBits: windowBits) else { return nil }
        return FrameStorage.encode(frame.isBinary ? .binary : .text, compressed: true, payload)
    }

    /// Compresses a message by itself; nil where that does not make it smaller. The result is valid until the next call.
    public func deflate(_ payload: UnsafeRawBufferPointer, windowBits: Int) -> UnsafeRawBufferPointer? {
        deflated += 1
        let deflater = deflater(windowBits: windowBits)
        return deflater.deflate(payload, into: &output, limit: payload.count - 1) ? output.bytes : nil
    }

    /// Compresses a message with a connection's own compressor. It must be sent, however large it is, because those after
    /// it may refer to it. The result is valid until the next call.
    public func deflate(_ payload: UnsafeRawBufferPointer, with own: Deflater) -> UnsafeRawBufferPointer {
        deflated += 1
        _ = own.deflate(payload, into: &output)
        return output.bytes
    }

    /// The most bytes that `count` bytes take when they are compressed with a connection's own compressor: nine
    /// bits for a byte where the window is too small for storing what does not shrink, a head for each block, and a flush.
    public static func bound(_ count: Int) -> Int { count + (count >> 3) + (count >> 6) + 64 }
}

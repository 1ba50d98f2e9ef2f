// The part of a decoder that exists while something is in pieces: the bytes of a cut header, the payload of a cut
// frame, the fragments of a message. It judges every stream by itself as the decoder does for whole frames; the decoder
// only spares it the usual case.
// Runs on: the thread of its connection.
// Allocates: one object, and payload bytes as they arrive.

/// What a connection holds of unfinished frames and messages.
final class MessageAssembly {
    /// Whether messages may be compressed.
    private let compression: Bool

    /// The bytes of a header that is not complete yet.
    private var headerBytes = InlineArray<14, UInt8>(repeating: 0)
    private var headerCount = 0

    /// The frame whose payload is arriving, and how much of it is here.
    private var frame: FrameHeader?
    private var arrived = 0

    /// The kind of the open message, whether it is compressed, its frames so far, what has arrived of it, and how far its text
    /// is checked.
    private var messageOpcode: Opcode?
    private var isCompressed = false
    private var fragments = 0
    private var message = GrowingBytes()
    private var text = UTF8Validator()

    /// What has arrived of a control frame, which may come between the fragments of a message.
    private var control = GrowingBytes()

    init(compression: Bool) {
        self.compression = compression
    }

    /// Whether nothing is open: the decoder then drops the assembly.
    var isIdle: Bool { headerCount == 0 && frame == nil && messageOpcode == nil }

    var held: Int { message.capacity + control.capacity }

    /// Gives back the memory of what was handed out and has been used.
    func forgetDelivered() {
        if frame == nil { control.removeAll() }
        if messageOpcode == nil { message.removeAll() }
    }

    /// Takes the next event off the front of `input`, as `MessageDecoder.next`.
    func next(
        _ input: inout UnsafeMutableRawBufferPointer, maxMessage: Int, maxFragments: Int
    ) -> MessageDecoder.Event {
        while true {
            if frame == nil {
                switch takeHeader(&input, maxMessage: maxMessage) {
                case .incomplete: return .needMore
                case .failure(let reason): return .failure(reason)
                case .header(let header): begin(header)
                }
                guard fragments <= maxFragments else { return .failure(.tooManyFragments) }
            }
            if let event = takePayload(&input, maxMessage: maxMessage) { return event }
        }
    }

    /// Adds to the header's bytes what the input has of them, and reads them.
    private func takeHeader(_ input: inout UnsafeMutableRawBufferPointer, maxMessage: Int) -> FrameHeader.Parsed {
        let before = headerCount
        let added = min(input.count, FrameHeader.maxCount - before)
        for offset in 0..<added {
            headerBytes[before + offset] = input[offset]
        }
        headerCount += added
        let parsed = withUnsafeBytes(of: &headerBytes) { bytes in
            FrameHeader.parse(
                UnsafeRawBufferPointer(rebasing: bytes[..<headerCount]), inMessage: messageOpcode != nil,
                room: maxMessage - message.count, compression: compression)
        }
        if case .header(let header) = parsed {
            input.skip(header.count - before)
            headerCount = 0
        } else {
            input.skip(added)
        }
        return parsed
    }

    private func begin(_ header: FrameHeader) {
        frame = header
        arrived = 0
        switch header.opcode {
        case .text, .binary: (messageOpcode, isCompressed, fragments) = (header.opcode, header.isCompressed, 1)
        case .continuation: fragments += 1
        case .close, .ping, .pong: break
        }
    }

    /// Takes what the input has of the frame's payload; nil when the next frame follows in the same input.
    private func takePayload(
        _ input: inout UnsafeMutableRawBufferPointer, maxMessage: Int
    ) -> MessageDecoder.Event? {
        guard let frame else { return nil }
        let piece = input.takeFirst(min(input.count, frame.payload - arrived))
        let phase = arrived
        arrived += piece.count
        if frame.opcode.isControl {
            Mask.apply(piece, key: frame.key, phase: phase)
            return takeControl(UnsafeRawBufferPointer(piece), frame)
        }
        if messageOpcode == .text && !isCompressed {
            guard text.unmask(piece, key: frame.key, phase: phase) else { return .failure(.invalidText) }
        } else {
            Mask.apply(piece, key: frame.key, phase: phase)
        }
        return takeData(UnsafeRawBufferPointer(piece), frame, maxMessage: maxMessage)
    }

    private func takeControl(_ piece: UnsafeRawBufferPointer, _ header: FrameHeader) -> MessageDecoder.Event? {
        if piece.count == header.payload {
            frame = nil
            return .whole(header.opcode, piece)
        }
        control.append(piece, limit: header.payload)
        guard arrived == header.payload else { return .needMore }
        frame = nil
        return .whole(header.opcode, control.bytes)
    }

    private func takeData(
        _ piece: UnsafeRawBufferPointer, _ header: FrameHeader, maxMessage: Int
    ) -> MessageDecoder.Event? {
        let isWhole = arrived == header.payload
        if isWhole, header.isFinal, message.isEmpty { return deliver(piece) }
        let ending = message.count + piece.count + header.payload - arrived
        message.append(piece, limit: header.isFinal ? ending : maxMessage)
        guard isWhole else { return .needMore }
        if header.isFinal { return deliver(message.bytes) }
        frame = nil
        return nil
    }

    /// Ends the message, whose bytes are `payload`. A complete text check is as good as new.
    private func deliver(_ payload: UnsafeRawBufferPointer) -> MessageDecoder.Event {
        guard text.isComplete else { return .failure(.invalidText) }
        let isBinary = messageOpcode == .binary
        (frame, messageOpcode) = (nil, nil)
        return isCompressed ? .compressed(payload, binary: isBinary) : .message(payload, binary: isBinary)
    }
}

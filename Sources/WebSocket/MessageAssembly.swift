// The part of a decoder that exists while something is in pieces: the bytes of a cut header, the payload of a cut
// frame, the fragments of a message. It can decode any stream alone; the decoder only saves it the usual case.
// Runs on: the thread of its connection.
// Allocates: one object, and payload bytes as they arrive.

import CLinux
import Glibc

/// The unfinished frames and messages of one connection.
final class MessageAssembly {
    /// Whether messages may be compressed.
    private let compression: Bool

    /// The bytes of a header that is not complete yet.
    private var headerBytes = InlineArray<14, UInt8>(repeating: 0)
    private var headerCount = 0

    /// The frame whose payload is arriving, and how many bytes of it have arrived.
    private var frame: FrameHeader?
    private var arrived = 0

    /// The open message: its type, whether it is compressed, its frames so far, its payload so far, and the state of its text
    /// check.
    private var messageOpcode: Opcode?
    private var isCompressed = false
    private var fragments = 0
    private var message = GrowingBytes()
    private var text = UTF8Validator()

    /// The payload so far of a control frame, which may come between the fragments of a message.
    private var control = GrowingBytes()

    init(compression: Bool) {
        self.compression = compression
    }

    /// Whether nothing is open: the decoder then drops the assembly.
    var isIdle: Bool { headerCount == 0 && frame == nil && messageOpcode == nil }

    var held: Int { message.capacity + control.capacity }

    /// Frees the payloads that the last event returned.
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

    /// Moves bytes of the header from the input to those here, and parses them.
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

    /// Takes the part of the frame's payload that the input has. Nil when the frame is complete and its message
    /// is not.
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

    /// Ends the message, whose bytes are `payload`. The text check needs no reset: between characters it has its initial
    /// state.
    private func deliver(_ payload: UnsafeRawBufferPointer) -> MessageDecoder.Event {
        guard text.isComplete else { return .failure(.invalidText) }
        let isBinary = messageOpcode == .binary
        (frame, messageOpcode) = (nil, nil)
        return isCompressed ? .compressed(payload, binary: isBinary) : .message(payload, binary: isBinary)
    }
}

/// A buffer for a payload that arrives in pieces. It owns its bytes and grows with the received ones, at most doubling and
/// never beyond the limit of its owner: a peer that announces much and sends little costs little memory.
struct GrowingBytes: ~Copyable {
    private var base: UnsafeMutableRawPointer?
    private(set) var capacity = 0
    private(set) var count = 0

    /// The least allocation in bytes.
    private static let leastCapacity = 64

    var isEmpty: Bool { count == 0 }

    /// The bytes; valid until the next `append` or `removeAll`.
    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base, count: count) }

    /// Appends a piece. `limit` is the final size of the payload where it is known, else the largest that it can reach.
    mutating func append(_ piece: UnsafeRawBufferPointer, limit: Int) {
        guard let source = piece.baseAddress, !piece.isEmpty else { return }
        let needed = count + piece.count
        if needed > capacity {
            let doubled = max(Self.leastCapacity, capacity &* 2)
            grow(to: max(needed, min(doubled, limit)))
        }
        base!.advanced(by: count).copyMemory(from: source, byteCount: piece.count)
        count = needed
    }

    /// Frees the bytes.
    mutating func removeAll() {
        free(base)
        (base, capacity, count) = (nil, 0, 0)
    }

    private mutating func grow(to capacity: Int) {
        guard let grown = realloc(base, capacity) else { clinux_die_without_memory(capacity) }
        base = grown
        self.capacity = capacity
    }

    deinit {
        free(base)
    }
}

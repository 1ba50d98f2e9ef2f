// The reading side of one connection: bytes in, messages out. A frame that lies whole in the input, as nearly all do,
// is unmasked there and handed out as a view of it. Whatever is in pieces, a cut frame or a fragmented message, goes to
// an assembly that exists only as long as it is needed, so an idle connection costs sixteen bytes.
// Runs on: the thread of its connection.
// Allocates: only for a cut frame or a fragmented message.
// Read next: FrameHeader+Parsing.swift for the rules of a header, MessageAssembly.swift for pieces.

/// Decodes what one client sends (RFC 6455, 5 to 7).
///
/// A decoder belongs to one connection; a copy would share its half of a message, so make none.
public struct MessageDecoder {
    private var assembly: MessageAssembly?
    private var isFinished = false
    private let compression: Bool

    /// - Parameter compression: Whether permessage-deflate is agreed on, so that messages may be compressed.
    public init(compression: Bool = false) {
        self.compression = compression
    }

    /// Whether it holds nothing: no part of a frame, no open message, no message that was just handed out.
    public var isIdle: Bool { assembly == nil }

    /// The bytes of memory that payloads take here while they are in pieces; never more than the limits of a message
    /// and of a control frame.
    public var held: Int { assembly?.held ?? 0 }

    /// Takes the next event off the front of `input`.
    ///
    /// Call it until it answers `needMore`. Payloads are unmasked in place, so the input's bytes are not what they
    /// were. After `close` or `failure` it swallows whatever comes.
    ///
    /// - Parameters:
    ///   - input: What arrived; afterwards, what is left of it.
    ///   - maxMessage: The most bytes of payload that a message may have, over all its fragments.
    ///   - maxFragments: The most frames that a message may have; at least 1.
    /// - Returns: The event. Its views are valid until the next call, and while the bytes of `input` stay where they
    ///   are.
    public mutating func next(
        _ input: inout UnsafeMutableRawBufferPointer, maxMessage: Int, maxFragments: Int = .max
    ) -> Event {
        if let assembly {
            assembly.forgetDelivered()
            if isFinished || assembly.isIdle { self.assembly = nil }
        }
        if assembly == nil, !isFinished, let event = nextWhole(&input, maxMessage: maxMessage) {
            return event
        }
        return nextInPieces(&input, maxMessage: maxMessage, maxFragments: maxFragments)
    }

    /// The usual case: an unfragmented frame without a fault, whole in the input. Nil, and the input untouched, for
    /// everything else.
    private mutating func nextWhole(_ input: inout UnsafeMutableRawBufferPointer, maxMessage: Int) -> Event? {
        guard
            case .header(let header) = FrameHeader.parse(
                UnsafeRawBufferPointer(input), inMessage: false, room: maxMessage, compression: compression),
            header.isFinal, header.payload <= input.count - header.count
        else { return nil }

        input.skip(header.count)
        let payload = input.takeFirst(header.payload)
        if header.isCompressed {
            Mask.apply(payload, key: header.key)
            return .compressed(UnsafeRawBufferPointer(payload), binary: header.opcode == .binary)
        }
        if header.opcode == .text {
            var text = UTF8Validator()
            guard text.unmask(payload, key: header.key, phase: 0), text.isComplete else { return fail(.invalidText) }
            return .message(UnsafeRawBufferPointer(payload), binary: false)
        }
        Mask.apply(payload, key: header.key)
        return finish(.whole(header.opcode, UnsafeRawBufferPointer(payload)))
    }

    private mutating func nextInPieces(
        _ input: inout UnsafeMutableRawBufferPointer, maxMessage: Int, maxFragments: Int
    ) -> Event {
        guard !isFinished else {
            input.skip(input.count)
            return .needMore
        }
        guard !input.isEmpty else { return .needMore }
        let assembly = self.assembly ?? MessageAssembly(compression: compression)
        self.assembly = assembly
        return finish(assembly.next(&input, maxMessage: maxMessage, maxFragments: maxFragments))
    }

    /// Notes the events after which nothing more is read.
    private mutating func finish(_ event: Event) -> Event {
        switch event {
        case .needMore, .message, .compressed, .ping, .pong: return event
        case .failure(let reason): return fail(reason)
        case .close:
            isFinished = true
            return event
        }
    }

    private mutating func fail(_ reason: CloseReason) -> Event {
        isFinished = true
        assembly = nil
        return .failure(reason)
    }
}

// The reading side of one connection: bytes in, messages out. Nearly every frame lies whole in the input: it is
// unmasked there, and the event is a view of it. Anything in pieces, a cut frame or a fragmented message, goes to an
// assembly that exists only while it is needed, so an idle connection costs sixteen bytes.
// Runs on: the thread of its connection.
// Allocates: only for a cut frame or a fragmented message.
// Read next: FrameHeader.swift for the rules of a header, MessageAssembly.swift for pieces.

/// Decodes what one client sends (RFC 6455, 5 to 7).
///
/// A decoder belongs to one connection. Do not copy it: a copy would share its half of a message.
public struct MessageDecoder {
    private var assembly: MessageAssembly?
    private var isFinished = false
    private let compression: Bool

    /// - Parameter compression: Whether permessage-deflate is agreed on, so that messages may be compressed.
    public init(compression: Bool = false) {
        self.compression = compression
    }

    /// Whether it holds nothing: no part of a frame, no open message, no message that it has just returned.
    public var isIdle: Bool { assembly == nil }

    /// The memory, in bytes, of payloads that are in pieces; never more than the limits of a message and of a control
    /// frame.
    public var held: Int { assembly?.held ?? 0 }

    /// Takes the next event off the front of `input`.
    ///
    /// Call it until it answers `needMore`. It unmasks payloads in place, so it changes the bytes of the input. After
    /// `close` or `failure` it discards all input.
    ///
    /// - Parameters:
    ///   - input: The bytes that arrived; afterwards, the rest of them.
    ///   - maxMessage: The largest payload of a message in bytes, over all its fragments.
    ///   - maxFragments: The largest number of frames in a message; at least 1.
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

    /// The usual case: an unfragmented frame without a fault, whole in the input. Returns nil and leaves the input
    /// unchanged in every other case.
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

    /// Notes the events after which the decoder reads nothing more.
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

extension MessageDecoder {
    /// The next thing that came on the connection, or the fault in it.
    public enum Event {
        /// The input is used up.
        case needMore
        /// A whole message, unmasked, its fragments joined. Text is valid UTF-8.
        case message(UnsafeRawBufferPointer, binary: Bool)
        /// A whole message as its sender compressed it, unmasked, its fragments joined. Text is to be checked after it is
        /// inflated.
        case compressed(UnsafeRawBufferPointer, binary: Bool)
        /// A ping; the answer is a pong with the same payload.
        case ping(UnsafeRawBufferPointer)
        /// A pong.
        case pong(UnsafeRawBufferPointer)
        /// A valid Close frame; the answer is a Close frame. The code is nil when the body is empty; the reason is UTF-8.
        case close(CloseCode?, reason: UnsafeRawBufferPointer)
        /// The client broke a rule or a limit; the connection is to be closed for this reason.
        case failure(CloseReason)

        /// The event for the whole payload of a control frame, or of a message that needs no further check.
        static func whole(_ opcode: Opcode, _ payload: UnsafeRawBufferPointer) -> Event {
            switch opcode {
            case .text: .message(payload, binary: false)
            case .binary, .continuation: .message(payload, binary: true)
            case .ping: .ping(payload)
            case .pong: .pong(payload)
            case .close: close(payload)
            }
        }

        /// The event for the body of a Close frame: none, or a code of two bytes and text (RFC 6455, 5.5.1).
        private static func close(_ body: UnsafeRawBufferPointer) -> Event {
            guard !body.isEmpty else { return .close(nil, reason: body) }
            guard body.count >= 2 else { return .failure(.closePayloadOfOneByte) }
            let code = CloseCode(rawValue: UInt16(body[0]) << 8 | UInt16(body[1]))
            let reason = UnsafeRawBufferPointer(rebasing: body[2...])
            guard code.isValidOnWire else { return .failure(.invalidCloseCode) }
            guard UTF8Validator.isValid(reason) else { return .failure(.invalidCloseReason) }
            return .close(code, reason: reason)
        }
    }
}

// Reading an input from its front: the pointer shrinks, the bytes stay where they are.
extension UnsafeMutableRawBufferPointer {
    /// Removes the first `count` bytes; there must be at least as many.
    mutating func skip(_ count: Int) {
        self = UnsafeMutableRawBufferPointer(rebasing: self[count...])
    }

    /// Removes the first `count` bytes and returns them; there must be at least as many.
    mutating func takeFirst(_ count: Int) -> UnsafeMutableRawBufferPointer {
        let first = UnsafeMutableRawBufferPointer(rebasing: self[..<count])
        skip(count)
        return first
    }
}

// What a decoder answers: what arrived, or what is wrong with it.

extension MessageDecoder {
    /// What came next on the connection.
    public enum Event {
        /// The input is used up.
        case needMore
        /// A whole message, unmasked, its fragments joined; text has been checked to be UTF-8.
        case message(UnsafeRawBufferPointer, binary: Bool)
        /// A whole message as its sender has compressed it, unmasked, its fragments joined. Whether it is text is to be
        /// checked when it is inflated.
        case compressed(UnsafeRawBufferPointer, binary: Bool)
        /// A ping, to be answered with a pong of the same payload.
        case ping(UnsafeRawBufferPointer)
        /// A pong.
        case pong(UnsafeRawBufferPointer)
        /// A valid Close frame, to be answered with one; nil when it names no code. The reason is UTF-8.
        case close(CloseCode?, reason: UnsafeRawBufferPointer)
        /// The client broke a rule or a limit: the connection is to be closed for this reason.
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

// The control frames that a server sends (RFC 6455, 5.5).

extension Frame {
    /// A ping; at most 125 bytes.
    public static func ping(_ payload: UnsafeRawBufferPointer = UnsafeRawBufferPointer(start: nil, count: 0)) -> Frame {
        control(.ping, payload)
    }

    /// The answer to a ping, with the ping's own payload; at most 125 bytes.
    public static func pong(_ payload: UnsafeRawBufferPointer = UnsafeRawBufferPointer(start: nil, count: 0)) -> Frame {
        control(.pong, payload)
    }

    /// A Close frame.
    ///
    /// - Parameters:
    ///   - code: Why. A code that must not be sent, such as `noStatus`, gives a Close frame without a body.
    ///   - reason: The same in words, cut to 123 bytes at a character's border.
    public static func close(_ code: CloseCode, reason: String = "") -> Frame {
        guard code.isValidOnWire else { return control(.close, UnsafeRawBufferPointer(start: nil, count: 0)) }
        return withUnsafeTemporaryAllocation(byteCount: FrameHeader.maxControlPayload, alignment: 2) { body in
            body.storeBytes(of: code.rawValue.bigEndian, as: UInt16.self)
            var count = 2
            for character in reason.unicodeScalars {
                let bytes = UTF8.encode(character)!
                guard count + bytes.count <= body.count else { break }
                for byte in bytes {
                    body[count] = byte
                    count += 1
                }
            }
            return control(.close, UnsafeRawBufferPointer(rebasing: body[..<count]))
        }
    }

    /// The Close frame that tells the peer of a reason of the server's own; without a body where the reason has no
    /// code.
    public static func close(for reason: CloseReason) -> Frame {
        close(reason.code, reason: reason.text)
    }

    private static func control(_ opcode: Opcode, _ payload: UnsafeRawBufferPointer) -> Frame {
        precondition(payload.count <= FrameHeader.maxControlPayload, "a control frame carries at most 125 bytes")
        return Frame(opcode, payload)
    }
}

// The receiving side of WebSocketClient: fragments joined, control frames between them, close codes checked.
//
// Read next: WebSocketFrames.swift.

public import JSON

/// One message, its fragments joined, or one control frame from the server.
public enum Message: Equatable {
    case text(String)
    case binary([UInt8])
    case ping([UInt8])
    case pong([UInt8])
    /// A close frame; `code` is 1005 when the frame carried none (RFC 6455 section 7.1.5).
    case close(code: UInt16, reason: String)
}

extension Message: CustomStringConvertible {
    public var description: String {
        switch self {
        case .text(let text): "text \(ClientError.excerpt(text.utf8))"
        case .binary(let bytes): "binary \(ClientError.excerpt(bytes))"
        case .ping(let bytes): "ping \(ClientError.excerpt(bytes))"
        case .pong(let bytes): "pong \(ClientError.excerpt(bytes))"
        case .close(let code, let reason): "close \(code) \"\(reason)\""
        }
    }
}

extension WebSocketClient {
    /// The next message from the server, within `timeout` or else the socket's (5 s by default).
    ///
    /// The client answers a close frame with the same code, and a ping with a pong; it returns a ping only when `answersPings`
    /// is false.
    public func receive(timeout: Duration? = nil) throws(ClientError) -> Message {
        try receive(for: "a message", by: Deadline(after: timeout ?? socket.timeout))
    }

    /// The next message, which must be a text.
    public func receiveText(timeout: Duration? = nil) throws(ClientError) -> String {
        let message = try receive(for: "a text", by: Deadline(after: timeout ?? socket.timeout))
        guard case .text(let text) = message else { throw .unexpected("expected a text, got \(message)") }
        return text
    }

    /// The next message, which must be a text of JSON.
    public func receiveJSON(timeout: Duration? = nil) throws(ClientError) -> JSON {
        try JSON(received: receiveText(timeout: timeout))
    }

    /// The next message, which must be binary.
    public func receiveBinary(timeout: Duration? = nil) throws(ClientError) -> [UInt8] {
        let message = try receive(for: "binary", by: Deadline(after: timeout ?? socket.timeout))
        guard case .binary(let bytes) = message else { throw .unexpected("expected binary, got \(message)") }
        return bytes
    }

    /// The messages that the server has sent to this client until now, in order: those before the pong to a ping sent here. So
    /// a test of "nothing arrives" need not wait.
    public func receiveAll() throws(ClientError) -> [Message] {
        pings += 1
        let mark = Array("mark \(pings)".utf8)
        try ping(mark)
        let deadline = Deadline(after: socket.timeout)
        var messages: [Message] = []
        while true {
            let message = try receive(for: "the pong that ends the messages \(messages)", by: deadline)
            if message == .pong(mark) { return messages }
            messages.append(message)
        }
    }

    /// Expects a close frame next, answers it, and expects the server to end the connection.
    ///
    /// With `skippingMessages`, messages before the close frame are dropped.
    @discardableResult
    public func expectClose(skippingMessages: Bool = false) throws(ClientError) -> (code: UInt16, reason: String) {
        let deadline = Deadline(after: socket.timeout)
        while true {
            let message = try receive(for: "a close frame", by: deadline)
            if case .close(let code, let reason) = message {
                let rest = try socket.awaitEnd()
                guard rest.isEmpty else {
                    throw .violation("bytes after the close frame: \(ClientError.excerpt(rest))")
                }
                return (code, reason)
            }
            guard skippingMessages else { throw .unexpected("expected a close frame, got \(message)") }
        }
    }

    /// The next frame as the server sent it; the client joins no fragments and answers nothing.
    public func receiveFrame(timeout: Duration? = nil) throws(ClientError) -> ServerFrame {
        let deadline = Deadline(after: timeout ?? socket.timeout)
        return try readFrame(for: "a frame", by: deadline)
    }

    private func readFrame(for wanted: String, by deadline: Deadline) throws(ClientError) -> ServerFrame {
        try ServerFrame.read(from: socket.reader, for: wanted, by: deadline, compression: deflate != nil)
    }

    private func receive(for wanted: String, by deadline: Deadline) throws(ClientError) -> Message {
        var joined: (opcode: UInt8, payload: [UInt8])?
        while true {
            let frame = try readFrame(for: wanted, by: deadline)
            if frame.isControl {
                if let message = try control(frame) { return message }
                continue
            }
            guard (joined == nil) == (frame.opcode != 0) else { throw .violation("fragments out of order") }
            if joined == nil { lastWasCompressed = frame.compressed }
            joined = (joined?.opcode ?? frame.opcode, (joined?.payload ?? []) + frame.payload)
            guard frame.fin, let whole = joined else { continue }
            let bytes = lastWasCompressed ? try inflate(whole.payload) : whole.payload
            return whole.opcode == 1 ? .text(try Self.text(bytes)) : .binary(bytes)
        }
    }

    private func inflate(_ payload: [UInt8]) throws(ClientError) -> [UInt8] {
        guard let deflate else { throw .violation("a compressed message that was not agreed on") }
        return try deflate.inflate(payload)
    }

    /// Answers a control frame as a client must; returns nil for a ping that the client has answered.
    private func control(_ frame: ServerFrame) throws(ClientError) -> Message? {
        switch frame.opcode {
        case 8:
            let (code, reason) = try Self.closePayload(frame.payload)
            if !sentClose {
                sentClose = true
                try? sendFrame(ClientFrame(opcode: 8, payload: Array(frame.payload.prefix(2))))
            }
            return .close(code: code, reason: reason)
        case 9:
            guard answersPings else { return .ping(frame.payload) }
            try sendFrame(ClientFrame(opcode: 10, payload: frame.payload))
            return nil
        default:
            return .pong(frame.payload)
        }
    }

    private static func closePayload(_ payload: [UInt8]) throws(ClientError) -> (UInt16, String) {
        guard !payload.isEmpty else { return (1005, "") }
        guard payload.count >= 2 else { throw .violation("a close frame of one byte") }
        let code = UInt16(payload[0]) << 8 | UInt16(payload[1])
        switch code {
        case 1000...1003, 1007...1014, 3000...4999: return (code, try text(Array(payload.dropFirst(2))))
        default: throw .violation("close code \(code) on the wire")
        }
    }

    private static func text(_ bytes: [UInt8]) throws(ClientError) -> String {
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw .violation("text that is not UTF-8: \(ClientError.excerpt(bytes))")
        }
        return text
    }
}

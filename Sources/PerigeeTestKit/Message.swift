// Message: what a server said to a WebSocketClient, with its fragments joined and everything the protocol demands of it
// checked.

/// One message or control frame from the server.
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

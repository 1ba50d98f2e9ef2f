// Every reason for which the server ends a connection, in one table: what the peer is told, how loudly it is logged,
// and how it is counted. A script that closes with a code and text of its own is not here; neither is a peer that
// leaves.
// Read next: Frame+Control.swift, which encodes a reason as a Close frame.

/// A reason of the server's own for ending a connection.
public enum CloseReason: UInt8, CaseIterable, Sendable {
    // Breaches of the protocol, in the order in which the decoder can notice them.

    /// A frame has a reserved bit set that no extension of this connection gives a meaning there (RFC 6455, 5.2; RFC
    /// 7692, 6).
    case reservedBits
    /// A frame has an opcode that RFC 6455 keeps for later (5.2).
    case unknownOpcode
    /// A control frame has no FIN bit (RFC 6455, 5.5).
    case fragmentedControl
    /// A continuation frame came while no message was open (RFC 6455, 5.4).
    case unexpectedContinuation
    /// A text or binary frame came while a fragmented message was open (RFC 6455, 5.4).
    case expectedContinuation
    /// A frame from a client is not masked (RFC 6455, 5.1).
    case maskMissing
    /// A control frame declares more than 125 bytes (RFC 6455, 5.5).
    case controlTooLong
    /// A length is written in more bytes than it needs (RFC 6455, 5.2).
    case lengthNotMinimal
    /// A 64-bit length has its highest bit set (RFC 6455, 5.2).
    case lengthTooLarge
    /// A message is, or declares to be, larger than the limit.
    case messageTooBig
    /// A message has more fragments than the limit.
    case tooManyFragments
    /// A text message is not UTF-8 (RFC 6455, 8.1).
    case invalidText
    /// The compressed data of a message cannot be inflated, or does not end where a message ends (RFC 7692, 7.2.2).
    case corruptCompression
    /// A Close frame has one byte of payload, which is half a code (RFC 6455, 5.5.1).
    case closePayloadOfOneByte
    /// A Close frame carries a code that must not be sent (RFC 6455, 7.4).
    case invalidCloseCode
    /// The text of a Close frame is not UTF-8 (RFC 6455, 5.5.1).
    case invalidCloseReason

    // The server's own.

    /// The client reads more slowly than messages for it arrive, and its queue is over the limit.
    case slowConsumer
    /// The client takes nothing of what waits for it: the socket is dropped, no further frame.
    case writeStall
    /// The client sends more than its rate, and the configuration says that this closes the connection.
    case rateExceeded
    /// The user has as many connections as one user may have.
    case tooManyOfUser
    /// Nothing came within the time that a ping has for its answer.
    case pongTimeout
    /// No message went either way for too long.
    case idleTimeout
    /// The server stops, or a new process takes over; the reason says after how long the client may come back.
    case serviceRestart
    /// The server failed in a way that is its own fault.
    case internalError
    /// The handler script raised an error, and the configuration says that this closes the connection.
    case scriptError
    /// An operator closed the connection through the admin API without saying why.
    case closedByOperator
    /// A connection that must begin with a header of the PROXY protocol comes from no trusted proxy: hung up at once.
    case untrustedProxy
    /// A connection begins with something else than the header of the PROXY protocol that it must begin with: hung up.
    case proxyHeader
    /// The request that should open the connection was not complete in time: HTTP 408, no Close frame.
    case handshakeTimeout
    /// The peer did not answer a Close frame in time: the socket is dropped, no further frame.
    case closeTimeout

    /// What the Close frame carries; `abnormal` where the connection ends without one.
    public var code: CloseCode { row.code }

    /// What the peer reads beside the code: plain ASCII, at most 123 bytes (RFC 6455, 5.5).
    public var text: String { row.text }

    /// How loudly it is logged.
    public var level: Level { row.level }

    /// The value by which closes are counted: lower-case letters and underscores.
    public var counter: String { row.counter }

    private var row: (code: CloseCode, level: Level, counter: String, text: String) {
        switch self {
        case .reservedBits: (.protocolError, .info, "reserved_bits", "reserved bits must be zero")
        case .unknownOpcode: (.protocolError, .info, "unknown_opcode", "unknown opcode")
        case .fragmentedControl: (.protocolError, .info, "fragmented_control", "a control frame must not be fragmented")
        case .unexpectedContinuation: (.protocolError, .info, "unexpected_continuation", "no message to continue")
        case .expectedContinuation: (.protocolError, .info, "expected_continuation", "a message is still open")
        case .maskMissing: (.protocolError, .info, "mask_missing", "frames from clients must be masked")
        case .controlTooLong: (.protocolError, .info, "control_too_long", "a control frame carries at most 125 bytes")
        case .lengthNotMinimal: (.protocolError, .info, "length_not_minimal", "a length must take the fewest bytes")
        case .lengthTooLarge: (.protocolError, .info, "length_too_large", "a length has at most 63 bits")
        case .messageTooBig: (.messageTooBig, .info, "message_too_big", "message too big")
        case .tooManyFragments: (.policyViolation, .info, "too_many_fragments", "too many fragments")
        case .invalidText: (.invalidPayload, .info, "invalid_text", "text must be UTF-8")
        case .corruptCompression:
            (.invalidPayload, .info, "corrupt_compression", "compressed data is corrupt")
        case .closePayloadOfOneByte: (.protocolError, .info, "close_payload_of_one_byte", "half a close code")
        case .invalidCloseCode: (.protocolError, .info, "invalid_close_code", "invalid close code")
        case .invalidCloseReason: (.invalidPayload, .info, "invalid_close_reason", "a close reason must be UTF-8")
        case .slowConsumer: (.tryAgainLater, .notice, "slow_consumer", "slow consumer")
        case .writeStall: (.abnormal, .notice, "write_stall", "nothing is read")
        case .rateExceeded: (.policyViolation, .info, "rate_exceeded", "too many messages or bytes")
        case .tooManyOfUser: (.policyViolation, .info, "too_many_of_user", "too many connections of this user")
        case .pongTimeout: (.goingAway, .info, "pong_timeout", "no answer to a ping")
        case .idleTimeout: (.goingAway, .info, "idle_timeout", "idle for too long")
        case .serviceRestart: (.serviceRestart, .debug, "service_restart", "restarting")
        case .internalError: (.internalError, .error, "internal_error", "internal error")
        case .scriptError: (.internalError, .warning, "script_error", "script error")
        case .closedByOperator: (.normal, .info, "closed_by_operator", "closed by operator")
        case .untrustedProxy: (.abnormal, .debug, "untrusted_proxy", "not a trusted proxy")
        case .proxyHeader: (.abnormal, .debug, "proxy_header", "no PROXY header")
        case .handshakeTimeout: (.abnormal, .debug, "handshake_timeout", "handshake timed out")
        case .closeTimeout: (.abnormal, .debug, "close_timeout", "close was not answered")
        }
    }
}

// Why a connection ends. `CloseCode` is the number in a Close frame (RFC 6455, 7.4, and the IANA registry). `CloseReason`
// is the table of the server's own reasons: each has a code, a text for the peer, a log level and a counter. Not in the
// table: a script that closes with its own code and text, and a peer that leaves.
// Read next: Frame.swift, which encodes a reason as a Close frame.

/// The status code with which a connection ends (RFC 6455, 7.4).
public struct CloseCode: RawRepresentable, Hashable, Sendable {
    public let rawValue: UInt16

    public init(rawValue: UInt16) {
        self.rawValue = rawValue
    }

    /// 1000: the purpose of the connection is fulfilled.
    public static let normal = CloseCode(rawValue: 1000)
    /// 1001: the endpoint goes away: a server stops, a browser leaves the page.
    public static let goingAway = CloseCode(rawValue: 1001)
    /// 1002: the peer broke the protocol.
    public static let protocolError = CloseCode(rawValue: 1002)
    /// 1003: the endpoint does not accept this kind of data, such as binary where it reads only text.
    public static let unsupportedData = CloseCode(rawValue: 1003)
    /// 1005: the Close frame had no code. Never sent.
    public static let noStatus = CloseCode(rawValue: 1005)
    /// 1006: the connection ended without a Close frame. Never sent.
    public static let abnormal = CloseCode(rawValue: 1006)
    /// 1007: the data does not match its type, such as text that is not UTF-8.
    public static let invalidPayload = CloseCode(rawValue: 1007)
    /// 1008: a message breaks a rule of the application and no other code fits.
    public static let policyViolation = CloseCode(rawValue: 1008)
    /// 1009: a message is larger than the endpoint accepts.
    public static let messageTooBig = CloseCode(rawValue: 1009)
    /// 1011: the server met an unexpected condition.
    public static let internalError = CloseCode(rawValue: 1011)
    /// 1012: the server restarts; a client may reconnect after a random delay.
    public static let serviceRestart = CloseCode(rawValue: 1012)
    /// 1013: the server is overloaded; a client may try again later.
    public static let tryAgainLater = CloseCode(rawValue: 1013)

    /// Whether a Close frame may carry the code: 1000–1003 and 1007–1014 (registered), 3000–3999 (libraries), 4000–4999
    /// (applications).
    public var isValidOnWire: Bool {
        switch rawValue {
        case 1000...1003, 1007...1014, 3000...4999: true
        default: false
        }
    }
}

/// One of the server's own reasons for ending a connection.
public enum CloseReason: UInt8, CaseIterable, Sendable {
    // Breaches of the protocol, in the order in which the decoder can detect them.

    /// A frame has a reserved bit set to which no extension of this connection gives a meaning there (RFC 6455, 5.2; RFC
    /// 7692, 6).
    case reservedBits
    /// A frame has an opcode that RFC 6455 reserves (5.2).
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
    /// A message is larger than the limit, or a frame announces one that would be.
    case messageTooBig
    /// A message has more fragments than the limit.
    case tooManyFragments
    /// A text message is not UTF-8 (RFC 6455, 8.1).
    case invalidText
    /// The compressed data of a message cannot be inflated, or does not end where a message ends (RFC 7692, 7.2.2).
    case corruptCompression
    /// A Close frame has a payload of one byte; a code takes two (RFC 6455, 5.5.1).
    case closePayloadOfOneByte
    /// A Close frame carries a code that must not be sent (RFC 6455, 7.4).
    case invalidCloseCode
    /// The text of a Close frame is not UTF-8 (RFC 6455, 5.5.1).
    case invalidCloseReason

    // Limits, timeouts and decisions of the server.

    /// The client reads more slowly than its messages arrive, and its queue is over the limit.
    case slowConsumer
    /// The client reads nothing while its queue waits: the server drops the socket without a further frame.
    case writeStall
    /// The client exceeds its rate, and the configuration closes the connection for that.
    case rateExceeded
    /// The user has as many connections as one user is allowed.
    case tooManyOfUser
    /// The client did not answer a ping in time.
    case pongTimeout
    /// For too long no message went in either direction.
    case idleTimeout
    /// The server stops, or a new process takes over; the text tells the client how long to wait before it reconnects.
    case serviceRestart
    /// A fault of the server itself.
    case internalError
    /// The handler script raised an error, and the configuration closes the connection for that.
    case scriptError
    /// An operator closed the connection through the admin API and gave no reason.
    case closedByOperator
    /// A listener that requires the PROXY protocol got a connection from a peer that is no trusted proxy: dropped at once.
    case untrustedProxy
    /// The connection does not begin with the header of the PROXY protocol that its listener requires: dropped.
    case proxyHeader
    /// The opening request was not complete in time: HTTP 408, no Close frame.
    case handshakeTimeout
    /// The peer did not answer a Close frame in time: the server drops the socket without a further frame.
    case closeTimeout

    /// The code of the Close frame; `abnormal` where the connection ends without one.
    public var code: CloseCode { row.code }

    /// The reason in the Close frame: ASCII, at most 123 bytes (RFC 6455, 5.5).
    public var text: String { row.text }

    /// The level of its log line.
    public var level: Level { row.level }

    /// The name of its counter: lower-case letters and underscores.
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
        case .closePayloadOfOneByte:
            (.protocolError, .info, "close_payload_of_one_byte", "a close code takes two bytes")
        case .invalidCloseCode: (.protocolError, .info, "invalid_close_code", "invalid close code")
        case .invalidCloseReason: (.invalidPayload, .info, "invalid_close_reason", "a close reason must be UTF-8")
        case .slowConsumer: (.tryAgainLater, .notice, "slow_consumer", "slow consumer")
        case .writeStall: (.abnormal, .notice, "write_stall", "the client reads nothing")
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

extension CloseReason {
    /// The severity of a close, in the words of the server's log but without depending on its library.
    public enum Level: UInt8, Comparable, Sendable {
        case debug, info, notice, warning, error

        public static func < (left: Level, right: Level) -> Bool {
            left.rawValue < right.rawValue
        }
    }
}

// The number in a Close frame (RFC 6455, 7.4, and the IANA registry that it opened). Any number can be held, because a
// script or a peer may name one of its own; whether it may be sent is `isValidOnWire`.

/// The status code with which a connection ends (RFC 6455, 7.4).
public struct CloseCode: RawRepresentable, Hashable, Sendable {
    public let rawValue: UInt16

    public init(rawValue: UInt16) {
        self.rawValue = rawValue
    }

    /// 1000: the purpose of the connection is fulfilled.
    public static let normal = CloseCode(rawValue: 1000)
    /// 1001: the endpoint is going away: a server stops, a browser leaves the page.
    public static let goingAway = CloseCode(rawValue: 1001)
    /// 1002: the peer broke the protocol.
    public static let protocolError = CloseCode(rawValue: 1002)
    /// 1003: the endpoint does not accept this kind of data, such as binary where it reads only text.
    public static let unsupportedData = CloseCode(rawValue: 1003)
    /// 1005: the Close frame had no code. Never sent.
    public static let noStatus = CloseCode(rawValue: 1005)
    /// 1006: the connection ended without a Close frame. Never sent.
    public static let abnormal = CloseCode(rawValue: 1006)
    /// 1007: the data does not fit its kind, such as text that is not UTF-8.
    public static let invalidPayload = CloseCode(rawValue: 1007)
    /// 1008: a rule of the application was broken and no other code fits.
    public static let policyViolation = CloseCode(rawValue: 1008)
    /// 1009: a message is larger than the endpoint takes.
    public static let messageTooBig = CloseCode(rawValue: 1009)
    /// 1011: the server met a condition that it did not expect.
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

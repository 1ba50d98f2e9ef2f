// All limits of the request parser, each with its default and the status that a breach is answered with.

/// How much of a request the parser accepts before it refuses.
///
/// Every limit is at least 0; `maxHead` is at most 1 GiB.
public struct HTTPLimits: Sendable, Equatable {
    /// Bytes of the request line without its line end; more is answered with 414.
    public var maxRequestLine = 8192

    /// Bytes of the request line, the fields and the blank line together, and separately of a trailer section; more is
    /// answered with 431.
    public var maxHead = 16384

    /// Fields of one head, and separately of one trailer section; more is answered with 431.
    public var maxFields = 100

    /// Bytes of a body, without its chunked framing; more is answered with 413.
    public var maxBody = 1 << 20

    /// Bytes of all chunk extensions of one body; more is answered with 400.
    public var maxChunkExtensions = 4096

    /// The defaults.
    public init() {}

    /// Limits that a head which was accepted before cannot breach.
    static var accepted: HTTPLimits {
        var limits = HTTPLimits()
        limits.maxHead = highest
        limits.maxRequestLine = highest
        limits.maxFields = .max
        limits.maxBody = .max
        return limits
    }

    /// Whether every limit is within the range that the type documents.
    var areValid: Bool {
        min(maxRequestLine, maxHead, maxFields, maxBody, maxChunkExtensions) >= 0 && maxHead <= Self.highest
            && maxRequestLine <= Self.highest
    }

    private static let highest = 1 << 30
}

// All limits of the request parser, each with its default and the status of the answer when a request exceeds it.

/// The limits of a request.
///
/// Every limit is at least 0; `maxHead` is at most 1 GiB.
public struct HTTPLimits: Sendable, Equatable {
    /// Bytes of the request line without its line end; 414 when exceeded.
    public var maxRequestLine = 8192

    /// Bytes of the request line, the fields and the blank line together, and separately of a trailer section; 431 when
    /// exceeded.
    public var maxHead = 16384

    /// Fields of one head, and separately of one trailer section; 431 when exceeded.
    public var maxFields = 100

    /// Bytes of a body, without its chunked framing; 413 when exceeded.
    public var maxBody = 1 << 20

    /// Bytes of all chunk extensions of one body; 400 when exceeded.
    public var maxChunkExtensions = 4096

    /// The defaults.
    public init() {}

    /// Limits that no accepted head exceeds.
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

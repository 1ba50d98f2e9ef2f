// How the end of a request's body is found.

/// What a request head says about the body that follows it (RFC 9112, section 6).
public enum BodyFraming: Sendable, Equatable {
    /// There is no body.
    case none
    /// This many bytes follow; may be 0.
    case length(Int)
    /// Chunks follow until one of size 0.
    case chunked
}

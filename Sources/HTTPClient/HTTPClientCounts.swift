// What a client has done so far, for who looks after the server.

/// Counters since the client was made, and two gauges. A request is counted in one of `responses`, `failed`, `timedOut`, `refused`
/// and `cancelled` when it is over.
public struct HTTPClientCounts: Sendable, Equatable {
    public internal(set) var requests: UInt64 = 0
    /// Whatever their status.
    public internal(set) var responses: UInt64 = 0
    /// For any reason but the next two.
    public internal(set) var failed: UInt64 = 0
    public internal(set) var timedOut: UInt64 = 0
    /// Not sent, because too many were there already or the address is refused.
    public internal(set) var refused: UInt64 = 0
    public internal(set) var cancelled: UInt64 = 0
    /// At this moment.
    public internal(set) var running = 0
    /// At this moment, for one of those to end.
    public internal(set) var waiting = 0
    /// Names that are being looked up at this moment, those that no request waits for any more included.
    public internal(set) var lookups = 0

    mutating func add(_ result: Result<HTTPClientResponse, HTTPClientError>) {
        switch result {
        case .success: responses += 1
        case .failure(let error):
            switch error.reason {
            case .timeout: timedOut += 1
            case .tooManyRequests, .addressRefused: refused += 1
            case .unknownHost, .cannotConnect, .tls, .disconnected, .invalidResponse, .tooLarge, .tooManyRedirects,
                .redirectRefused, .failed:
                failed += 1
            }
        }
    }
}

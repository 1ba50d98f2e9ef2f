// The limits of a client, the addresses that it may connect to, and counters of its work.

/// The client's bounds. Times are in milliseconds, sizes in bytes.
public struct HTTPClientSettings: Sendable, Equatable {
    /// Requests that run at once.
    public var concurrent = 100
    /// Requests that wait for one of those to end; one more is refused.
    public var queued = 1_000
    /// Names that are looked up at once. A look-up cannot be stopped, so it counts until it ends even if no request
    /// waits for it any more.
    public var lookups = 16
    /// The time for looking up the name, connecting and the TLS handshake together.
    public var connectTimeout: UInt64 = 5_000
    /// The time for a whole request that sets no time itself, including the wait for its turn and redirects.
    public var timeout: UInt64 = 10_000
    /// The largest body of a response to a request that sets no size itself.
    public var responseBody = 1 << 20
    /// The largest head of a response: status line, header fields, trailers, and interim responses (1xx) before it.
    public var responseHead = 32 << 10
    /// Idle connections that are kept for later requests.
    public var idleConnections = 32
    /// A PEM file with the certificates of the authorities that are trusted to certify servers.
    public var authorities = HTTPClientSettings.systemAuthorities
    /// The addresses to which the client may connect.
    public var addresses = AddressRules()
    /// The value of User-Agent.
    public var userAgent = "Perigee"

    /// The file in which Debian and its relatives keep the certificates of the public authorities (package
    /// ca-certificates).
    public static let systemAuthorities = "/etc/ssl/certs/ca-certificates.crt"

    public init() {}
}

/// Counters since the client was made, and two gauges. A request is counted in one of `responses`, `failed`,
/// `timedOut`, `refused` and `cancelled` when it is over.
public struct HTTPClientCounts: Sendable, Equatable {
    public internal(set) var requests: UInt64 = 0
    /// Responses, of any status.
    public internal(set) var responses: UInt64 = 0
    /// Requests that failed for any reason but the next two.
    public internal(set) var failed: UInt64 = 0
    public internal(set) var timedOut: UInt64 = 0
    /// Requests that were not sent, because too many were there already or the address is refused.
    public internal(set) var refused: UInt64 = 0
    public internal(set) var cancelled: UInt64 = 0
    /// Requests that run at this moment.
    public internal(set) var running = 0
    /// Requests that wait at this moment for a running one to end.
    public internal(set) var waiting = 0
    /// Names that are being looked up at this moment, including those that no request waits for any more.
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

// What a client may use, and where it may go.

/// The client's bounds. Times are in milliseconds, sizes in bytes.
public struct HTTPClientSettings: Sendable, Equatable {
    /// Requests that run at once.
    public var concurrent = 100
    /// Requests that wait for one of those to end; one more is refused.
    public var queued = 1_000
    /// Names that are looked up at once. A look-up cannot be stopped, so one that nobody waits for any more counts until it ends.
    public var lookups = 16
    /// For looking up the name, connecting and the TLS handshake together.
    public var connectTimeout: UInt64 = 5_000
    /// For all of a request that names no time of its own, waiting for its turn and redirects included.
    public var timeout: UInt64 = 10_000
    /// The largest body of a response to a request that names no size of its own.
    public var responseBody = 1 << 20
    /// The largest head of a response: status line, header fields, trailers, and whatever came before it (1xx).
    public var responseHead = 32 << 10
    /// Connections that are kept for later requests while nobody uses them.
    public var idleConnections = 32
    /// The certificates of authorities that servers may be certified by: a PEM file.
    public var authorities = HTTPClientSettings.systemAuthorities
    /// Which addresses it connects to.
    public var addresses = AddressRules()
    /// What servers are told in User-Agent.
    public var userAgent = "Perigee"

    /// Where Debian and its relatives keep the certificates of the public authorities (package ca-certificates).
    public static let systemAuthorities = "/etc/ssl/certs/ca-certificates.crt"

    public init() {}
}

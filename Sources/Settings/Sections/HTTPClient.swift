// The `httpClient` section: limits of scripts' requests to other servers, and the networks that they may reach.

public import Proxies

extension Configuration {
    /// Scripts' requests to other servers (`http`), in each worker.
    public struct HTTPClient: Sendable, Equatable {
        /// Requests that run at once, 1 to 10,000.
        public var concurrent = 100
        /// Requests that wait for one of those, 0 to 1 million; one more is refused.
        public var queued = 1_000
        /// Names that are looked up at once, 1 to 1,000; an abandoned look-up counts until it ends.
        public var lookups = 16
        /// For the name lookup, the connection and the TLS handshake together, 10 ms to 1 h.
        public var connectTimeout = Duration.seconds(5)
        /// For a whole request without a timeout of its own, 10 ms to 1 h.
        public var timeout = Duration.seconds(10)
        /// The largest body of a response in bytes, 1 to 16 MiB, unless the request says otherwise.
        public var maxBody = 1 << 20
        /// The largest head of a response in bytes, 1 KiB to 256 KiB.
        public var maxHead = 32 << 10
        /// Idle connections that are kept for later requests, 1 to 10,000.
        public var idleConnections = 32
        /// The path of a PEM file with the authorities that may certify servers; empty: the system's.
        public var caFile = ""
        /// Networks to which scripts may connect although a rule refuses them.
        public var allow: [IPNetwork] = []
        /// Networks to which scripts may not connect.
        public var deny: [IPNetwork] = []
        /// Whether scripts may connect to the admin API of their own server.
        public var allowAdmin = false

        /// The default of every key.
        public init() {}
    }
}

extension Configuration.HTTPClient {
    static let section = ConfigurationSection(
        "httpClient", "Requests of scripts to other servers (http), in each worker.", keys: keys)

    private static let keys = [
        ConfigurationKey(
            "httpClient.concurrent", \.httpClient.concurrent, .number(1...10_000),
            "Requests that run at once; further ones wait."),
        ConfigurationKey(
            "httpClient.queued", \.httpClient.queued, .number(0...1_000_000),
            "Requests that wait; a further one returns nil, \"too many requests\"."),
        ConfigurationKey(
            "httpClient.lookups", \.httpClient.lookups, .number(1...1_000),
            """
            Host names that are looked up at once, each on a thread; others wait. A look-up that hangs counts until it ends,
            even after its request has ended.
            """),
        ConfigurationKey(
            "httpClient.connectTimeout", \.httpClient.connectTimeout, .time(.anyTime),
            "For the name lookup, the connection and the TLS handshake together."),
        ConfigurationKey(
            "httpClient.timeout", \.httpClient.timeout, .time(.anyTime),
            "For a whole request, waiting and redirects included, unless it has a timeout of its own."),
        ConfigurationKey(
            "httpClient.maxBody", \.httpClient.maxBody, .size(1...(16 << 20)),
            "The largest body of a response, unless the request says otherwise (maxBytes)."),
        ConfigurationKey(
            "httpClient.maxHead", \.httpClient.maxHead, .size((1 << 10)...(256 << 10)),
            "The largest head of a response."),
        ConfigurationKey(
            "httpClient.idleConnections", \.httpClient.idleConnections, .number(1...10_000),
            "Idle connections that are kept for later requests."),
        ConfigurationKey(
            "httpClient.caFile", \.httpClient.caFile, .optionalFile,
            "A PEM file with the authorities that may certify servers; none: the system's."),
        ConfigurationKey(
            "httpClient.allow", \.httpClient.allow, .networks,
            "Networks to which scripts may connect although a rule refuses them. In a variable: NETWORK,NETWORK."),
        ConfigurationKey(
            "httpClient.deny", \.httpClient.deny, .networks,
            """
            Networks to which scripts may not connect. Link-local, multicast and reserved addresses and the metadata services
            of clouds are always refused; loopback and private networks are not. In a variable: NETWORK,NETWORK.
            """),
        ConfigurationKey(
            "httpClient.allowAdmin", \.httpClient.allowAdmin, .flag,
            "Whether scripts may connect to this server's own admin API; httpClient.allow does not open it."
        ),
    ]
}

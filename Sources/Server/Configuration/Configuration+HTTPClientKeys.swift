// The rows of the table of keys that are about scripts' requests to other servers.
//
// Read next: Configuration+Keys.swift.

extension Configuration {
    static let httpClientKeys = [
        ConfigurationKey(
            "httpClient.concurrent", \.httpClient.concurrent, .number(1...10_000),
            "Requests that run at once; more wait for one of those to end."),
        ConfigurationKey(
            "httpClient.queued", \.httpClient.queued, .number(0...1_000_000),
            "Requests that wait; one more answers nil, \"too many requests\"."),
        ConfigurationKey(
            "httpClient.lookups", \.httpClient.lookups, .number(1...1_000),
            """
            Host names that are looked up at once, each on a thread; others wait. A look-up that hangs counts until it ends,
            whether somebody waits for it or not.
            """),
        ConfigurationKey(
            "httpClient.connectTimeout", \.httpClient.connectTimeout, .time(anyTime),
            "For the name lookup, the connection and the TLS handshake together."),
        ConfigurationKey(
            "httpClient.timeout", \.httpClient.timeout, .time(anyTime),
            "For all of a request, waiting and redirects included, unless it has a timeout of its own."),
        ConfigurationKey(
            "httpClient.maxBody", \.httpClient.maxBody, .size(1...(16 << 20)),
            "The largest body of a response, unless the request says otherwise (maxBytes)."),
        ConfigurationKey(
            "httpClient.maxHead", \.httpClient.maxHead, .size((1 << 10)...(256 << 10)),
            "The largest head of a response."),
        ConfigurationKey(
            "httpClient.idleConnections", \.httpClient.idleConnections, .number(1...10_000),
            "Connections that are kept for later requests while nobody uses them."),
        ConfigurationKey(
            "httpClient.caFile", \.httpClient.caFile, .optionalFile,
            "A PEM file with the authorities that servers are certified by; none: the system's."),
        ConfigurationKey(
            "httpClient.allow", \.httpClient.allow, .networks,
            "Networks to which scripts may connect although they would be refused. In a variable: NETWORK,NETWORK."),
        ConfigurationKey(
            "httpClient.deny", \.httpClient.deny, .networks,
            """
            Networks to which scripts may not connect. Link-local, multicast and reserved addresses and those at which
            clouds hand out metadata are refused always; loopback and private networks are not. In a variable:
            NETWORK,NETWORK.
            """),
        ConfigurationKey(
            "httpClient.allowAdmin", \.httpClient.allowAdmin, .flag,
            "Whether scripts may connect to this server's own admin API; httpClient.allow does not open it."
        ),
    ]
}

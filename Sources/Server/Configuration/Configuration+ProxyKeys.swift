// The rows of the table of keys that are about proxies before the clients' port.
//
// Read next: Configuration+Keys.swift.

extension Configuration {
    static let proxyKeys = [
        ConfigurationKey(
            "proxies.trusted", \.proxies.trusted, .networks,
            """
            Networks of the proxies that are believed when they say who the client is. Who comes through a UNIX socket
            always is. In a variable: NETWORK,NETWORK.
            """),
        ConfigurationKey(
            "proxies.protocol", \.proxies.protocol, .flag,
            """
            Whether every connection on the clients' port begins with a header of the PROXY protocol, version 1 or 2. Then
            only trusted proxies may connect.
            """),
        ConfigurationKey(
            "proxies.header", \.proxies.header, .choice,
            """
            The field in which trusted proxies name the client: X-Forwarded-For or Forwarded (RFC 7239). The client is the
            first address from the right that is not trusted.
            """),
    ]
}

// The `proxies` section: the proxies before the clients' port, and how they name the client.

public import Proxies

extension Configuration {
    /// Proxies and load balancers before the clients' port.
    public struct Proxies: Sendable, Equatable {
        /// Networks of the proxies that may name the client; a peer on a UNIX socket always may.
        public var trusted: [IPNetwork] = []
        /// Whether every connection begins with a header of the PROXY protocol.
        public var `protocol` = false
        /// The field of a request that names the client.
        public var header = Header.xForwardedFor

        /// The default of every key.
        public init() {}

        /// The field of a request that names the client.
        public enum Header: String, Sendable, CaseIterable {
            /// X-Forwarded-For.
            case xForwardedFor
            /// Forwarded (RFC 7239).
            case forwarded
            /// None: the client is the peer, or the address that the PROXY protocol names.
            case none
        }
    }
}

extension Configuration.Proxies {
    static let section = ConfigurationSection(
        "proxies", "Proxies and load balancers before the clients' port, and how they name the client.",
        keys: keys)

    private static let keys = [
        ConfigurationKey(
            "proxies.trusted", \.proxies.trusted, .networks,
            """
            Networks of the proxies that may name the client; a peer on a UNIX socket always may. In a variable:
            NETWORK,NETWORK.
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

// The `proxies` section: which proxies stand before the clients' port, and how they say who the client is.

public import Proxies

extension Configuration {
    /// Proxies and load balancers before the clients' port.
    public struct Proxies: Sendable, Equatable {
        /// Networks of the proxies that are believed; who comes through a UNIX socket always is.
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
            /// None: the client is who connected, or whom the PROXY protocol names.
            case none
        }
    }
}

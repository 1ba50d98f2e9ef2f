// The `httpClient` section: what scripts' requests to other servers may take, and where they may go.

internal import EventLoop
internal import HTTPClient
public import Proxies

extension Configuration {
    /// Scripts' requests to other servers (`http`), in each worker.
    public struct HTTPClient: Sendable, Equatable {
        /// Requests that run at once, 1 to 10,000.
        public var concurrent = 100
        /// Requests that wait for one of those to end, 0 to 1 million; one more is refused.
        public var queued = 1_000
        /// Names that are looked up at once, 1 to 1,000; look-ups that nobody waits for any more count until they end.
        public var lookups = 16
        /// For the name lookup, the connection and the TLS handshake together, 10 ms to 1 h.
        public var connectTimeout = Duration.seconds(5)
        /// For all of a request that has no timeout of its own, 10 ms to 1 h.
        public var timeout = Duration.seconds(10)
        /// The largest body of a response in bytes, 1 to 16 MiB, unless the request says otherwise.
        public var maxBody = 1 << 20
        /// The largest head of a response in bytes, 1 KiB to 256 KiB.
        public var maxHead = 32 << 10
        /// Connections that are kept while nobody uses them, 1 to 10,000.
        public var idleConnections = 32
        /// The authorities that servers may be certified by, a PEM file; empty for the system's.
        public var caFile = ""
        /// Networks to which scripts may connect, whatever else says no.
        public var allow: [IPNetwork] = []
        /// Networks to which scripts may not connect.
        public var deny: [IPNetwork] = []
        /// Whether scripts may connect to the admin API of their own server.
        public var allowAdmin = false

        /// The default of every key.
        public init() {}

        /// What the client is made with.
        /// - Parameter admin: where the admin API listens.
        func settings(admin: [SocketAddress]) -> HTTPClientSettings {
            var settings = HTTPClientSettings()
            settings.concurrent = concurrent
            settings.queued = queued
            settings.lookups = lookups
            settings.connectTimeout = connectTimeout.milliseconds
            settings.timeout = timeout.milliseconds
            settings.responseBody = maxBody
            settings.responseHead = maxHead
            settings.idleConnections = idleConnections
            if !caFile.isEmpty { settings.authorities = caFile }
            settings.addresses = AddressRules(allowed: allow, denied: deny, own: allowAdmin ? [] : admin)
            settings.userAgent = "Perigee/\(PerigeeVersion.text)"
            return settings
        }
    }
}

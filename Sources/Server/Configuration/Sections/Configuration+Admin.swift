// The `admin` section: where the admin API listens, who may use it, and what one request may cost.

extension Configuration {
    /// The admin API.
    public struct Admin: Sendable, Equatable {
        /// Where the admin API listens; without a key, a loopback address.
        public var listen = ListenAddress.loopback(port: 9080)
        /// The keys that open the API; none: open to everybody on this machine.
        public var keys: [AdminKey] = []
        /// Whether the admin API speaks TLS, with the certificates of the clients' port.
        public var tls = false
        /// The largest request body in bytes, 1 B to 1 GiB; a larger one is answered 413.
        public var maxBody = 1 << 20
        /// How long the head of a request may take to arrive, 10 ms to 1 h; a slower one is answered 408.
        public var headTimeout = Duration.seconds(10)
        /// How long a request may take to arrive, 10 ms to 1 h; a slower one is answered 408.
        public var requestTimeout = Duration.seconds(30)

        /// The default of every key.
        public init() {}
    }
}

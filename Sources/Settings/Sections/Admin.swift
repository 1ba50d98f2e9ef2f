// The `admin` section: the address of the admin API, its keys, and the limits of a request.

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

extension Configuration.Admin {
    static let section = ConfigurationSection(
        "admin",
        "The admin API: pushes from backends, and the state of the server. Keep it apart from the clients' port.",
        keys: keys)

    private static let keys = [
        ConfigurationKey(
            "admin.listen", \.admin.listen, .address,
            """
            Where the admin API listens. Without keys it must be an address that only this machine reaches, or a UNIX
            socket: curl --unix-socket PATH http://localhost/v1/node.
            """),
        ConfigurationKey(
            "admin.keys", \.admin.keys, .adminKeys, secret: true,
            """
            The keys that open the API; none: open to everybody on this machine. A key has 16 or more characters. Scopes
            are publish (push messages), read (lists, counts, state) and manage (close connections, reload scripts); a key
            without scopes opens everything. In a variable: NAME=KEY or NAME:SCOPE+SCOPE=KEY.
              keys:
                - name: shop
                  key: at-least-16-characters
                  scopes: [publish]
            """),
        ConfigurationKey(
            "admin.maxBody", \.admin.maxBody, .size(1...(1 << 30)),
            "The largest body of a request; a larger one is answered 413."),
        ConfigurationKey(
            "admin.headTimeout", \.admin.headTimeout, .time(.anyTime),
            "How long a request's head may take to arrive; a slower one is answered 408."),
        ConfigurationKey(
            "admin.requestTimeout", \.admin.requestTimeout, .time(.anyTime),
            "How long a request may take to arrive; a slower one is answered 408."),
        ConfigurationKey(
            "admin.tls", \.admin.tls, .flag,
            "Whether the API speaks TLS, with the certificates of tls.certificates."),
    ]
}

/// A key that opens the admin API, within its scopes.
public struct AdminKey: Sendable, Equatable {
    /// The name of the key in logs and answers: 1 to 64 of `A–Z a–z 0–9 _ . -`, unique among the keys.
    public var name: String
    /// The secret that a request presents, at least 16 characters.
    public var key: String
    /// The parts of the API that the key opens.
    public var scopes: Set<AdminScope>

    /// A key with a name, a secret and scopes.
    public init(name: String, key: String, scopes: Set<AdminScope> = Set(AdminScope.allCases)) {
        self.name = name
        self.key = key
        self.scopes = scopes
    }
}

extension AdminKey: CustomStringConvertible, CustomReflectable {
    /// The name and the scopes, without the secret.
    public var description: String {
        "AdminKey(\(name): \(AdminScope.allCases.filter(scopes.contains).map(\.rawValue).joined(separator: " ")))"
    }

    /// A mirror without the secret, so that dumping a configuration does not show it.
    public var customMirror: Mirror {
        Mirror(self, children: ["name": name, "key": Configuration.hidden, "scopes": scopes])
    }
}

/// A part of the admin API that a key opens.
public enum AdminScope: String, Sendable, CaseIterable {
    /// Pushing messages to channels and connections.
    case publish
    /// Reading lists, counts, the node, the scripts' state.
    case read
    /// Closing connections, reloading scripts.
    case manage
}

// The `tls` section: the certificates of the server, and those that it asks of clients.

extension Configuration {
    /// TLS on the clients' port, and on the admin API's if `admin.tls` says so.
    public struct TLS: Sendable, Equatable {
        /// The server's certificates; none: no TLS. The first is for clients whose server name no other is for.
        public var certificates: [CertificatePaths] = []
        /// The oldest version that is spoken.
        public var minVersion = Version.tls12
        /// Whether clients show certificates.
        public var clientCertificates = ClientCertificates.none
        /// The path of a PEM file with the authorities that sign clients' certificates; empty: none.
        public var clientCA = ""
        /// Whether certificates that change are loaded at once.
        public var watch = true

        /// The default of every key.
        public init() {}

        /// A version of the protocol.
        public enum Version: String, Sendable, CaseIterable {
            /// TLS 1.2 and 1.3.
            case tls12 = "1.2"
            /// TLS 1.3 alone.
            case tls13 = "1.3"
        }

        /// Whether clients show certificates.
        public enum ClientCertificates: String, Sendable, CaseIterable {
            /// They are not asked.
            case none
            /// They are asked, and a certificate that they show must be valid.
            case optional
            /// Without a valid certificate there is no connection.
            case required
        }
    }
}

extension Configuration.TLS {
    static let section = ConfigurationSection(
        "tls",
        """
        TLS for clients (wss://), and for the admin API if admin.tls says so. Certificates that change are loaded for new
        connections: at once if they are watched, and at SIGHUP.
        """, keys: keys)

    private static let keys = [
        ConfigurationKey(
            "tls.certificates", \.tls.certificates, .certificates,
            """
            PEM files: a certificate with the chain behind it, and its key; none: no TLS. A client gets the certificate for the
            server name that it asks for, else the first one. In a variable: CERTIFICATE=KEY,CERTIFICATE=KEY.
              certificates:
                - certificate: /etc/perigee/fullchain.pem
                  key: /etc/perigee/privkey.pem
            """),
        ConfigurationKey("tls.minVersion", \.tls.minVersion, .choice, "The oldest version of TLS that is spoken."),
        ConfigurationKey(
            "tls.clientCertificates", \.tls.clientCertificates, .choice,
            "Whether clients show certificates; scripts see the subject as conn.certificate."),
        ConfigurationKey(
            "tls.clientCA", \.tls.clientCA, .optionalFile,
            "A PEM file with the authorities that sign clients' certificates."),
        ConfigurationKey(
            "tls.watch", \.tls.watch, .flag,
            "Whether certificates that change are loaded at once. Without it, SIGHUP loads them."),
    ]
}

/// The paths of two PEM files.
public struct CertificatePaths: Sendable, Equatable {
    /// The certificate, followed by the chain behind it.
    public var certificate: String
    /// Its private key, without a passphrase.
    public var key: String

    /// Names both files.
    public init(certificate: String, key: String) {
        self.certificate = certificate
        self.key = key
    }
}

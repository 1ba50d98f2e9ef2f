// The `tls` section: the certificates of the server, and those that it requests from clients.

extension Configuration {
    /// TLS on the clients' port, and on the admin API's if `admin.tls` says so.
    public struct TLS: Sendable, Equatable {
        /// The server's certificates; none: no TLS. A client whose server name matches none gets the first.
        public var certificates: [CertificatePaths] = []
        /// The oldest version that the server accepts.
        public var minVersion = Version.tls12
        /// Whether clients present certificates.
        public var clientCertificates = ClientCertificates.none
        /// The path of a PEM file with the authorities that sign clients' certificates; empty: none.
        public var clientCA = ""
        /// Whether changed certificates are loaded at once.
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

        /// Whether clients present certificates.
        public enum ClientCertificates: String, Sendable, CaseIterable {
            /// The server requests none.
            case none
            /// The server requests one; a certificate that a client presents must be valid.
            case optional
            /// A client without a valid certificate cannot connect.
            case required
        }
    }
}

extension Configuration.TLS {
    static let section = ConfigurationSection(
        "tls",
        """
        TLS for clients (wss://), and with admin.tls for the admin API. Changed certificates are loaded for new connections:
        at once if they are watched, and at SIGHUP.
        """, keys: keys)

    private static let keys = [
        ConfigurationKey(
            "tls.certificates", \.tls.certificates, .certificates,
            """
            PEM files: a certificate with the chain behind it, and its key; none: no TLS. A client gets the certificate for the
            server name in its request, or the first one. In a variable: CERTIFICATE=KEY,CERTIFICATE=KEY.
              certificates:
                - certificate: /etc/perigee/fullchain.pem
                  key: /etc/perigee/privkey.pem
            """),
        ConfigurationKey(
            "tls.minVersion", \.tls.minVersion, .choice, "The oldest version of TLS that the server accepts."),
        ConfigurationKey(
            "tls.clientCertificates", \.tls.clientCertificates, .choice,
            "Whether clients present certificates; scripts see the subject as conn.certificate."),
        ConfigurationKey(
            "tls.clientCA", \.tls.clientCA, .optionalFile,
            "A PEM file with the authorities that sign clients' certificates."),
        ConfigurationKey(
            "tls.watch", \.tls.watch, .flag,
            "Whether changed certificates are loaded at once. Without it, SIGHUP loads them."),
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

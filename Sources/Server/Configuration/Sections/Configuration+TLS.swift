// The `tls` section: with which certificates the server says who it is, and whether clients have to.

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

// All that decides how TLS is spoken on a port, read and ready to be made a context of.

/// The certificates and the rules of a port that speaks TLS.
public struct TLSSettings: Sendable, Equatable {
    /// A certificate, with the chain behind it, and its private key.
    public struct Certificate: Sendable, Equatable {
        let certificate: TLSFile
        let key: TLSFile

        /// Names the files of a pair.
        public init(certificate: TLSFile, key: TLSFile) {
            self.certificate = certificate
            self.key = key
        }
    }

    /// The oldest version of the protocol that is spoken.
    public enum Version: String, Sendable, CaseIterable {
        case tls12 = "1.2"
        case tls13 = "1.3"
    }

    /// Whether clients have to say who they are.
    public enum ClientCertificates: String, Sendable, CaseIterable {
        /// They are not asked.
        case none
        /// They are asked, and a certificate that they show must be valid.
        case optional
        /// Without a valid certificate there is no connection.
        case required
    }

    /// The first is for clients that name no server, or one that no certificate is for.
    public var certificates: [Certificate]
    public var minVersion = Version.tls12
    public var clientCertificates = ClientCertificates.none
    /// Who signs the certificates of clients.
    public var clientCA: TLSFile?

    /// Settings with one or more certificates.
    public init(certificates: [Certificate]) { self.certificates = certificates }
}

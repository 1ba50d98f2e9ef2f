// Where a certificate and its key are.

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

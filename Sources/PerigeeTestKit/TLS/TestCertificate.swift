// The files of a certificate and its key, made by a TestAuthority.

/// Two PEM files.
public struct TestCertificate: Sendable {
    /// The certificate.
    public let certificate: String
    /// Its private key.
    public let key: String

    public init(certificate: String, key: String) {
        self.certificate = certificate
        self.key = key
    }
}

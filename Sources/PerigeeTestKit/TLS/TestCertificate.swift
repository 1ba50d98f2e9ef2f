// The files of a certificate and its key, made by a TestAuthority.

/// Two PEM files.
public struct TestCertificate: Sendable {
    /// The certificate.
    public let certificate: String
    /// Its private key.
    public let key: String
    /// Whose folder they are in, which is to stay as long.
    private let authority: TestAuthority?

    public init(certificate: String, key: String, by authority: TestAuthority? = nil) {
        self.authority = authority
        self.certificate = certificate
        self.key = key
    }
}

// TestAuthority: certificates that are made as a test runs: an authority with a key of its own, and certificates signed by it.

import COpenSSL
public import Settings
import Synchronization

/// An authority that signs certificates into a folder, which is removed with the last reference.
///
/// Unchecked: key and certificate are made once; OpenSSL counts references atomically, and signing changes neither.
public final class TestAuthority: @unchecked Sendable {
    /// The authority of `withServer`.
    public static let shared = try! TestAuthority("Test")
    /// A certificate for localhost, *.example.test and 127.0.0.1, signed by the shared authority.
    public static let certificate = try! shared.issue(
        "server", names: ["localhost", "*.example.test", "127.0.0.1"])

    private let folder: TemporaryFolder
    private let key: OpaquePointer
    private let certificate: OpaquePointer
    private let issued = Atomic(0)

    /// The authority's own certificate, as a PEM file.
    public var path: String { folder.path + "/authority.pem" }

    /// Makes an authority of this name.
    public init(_ name: String) throws(ClientError) {
        folder = try TemporaryFolder()
        key = Self.makeKey()
        certificate = Self.make(subject: [("CN", name)], key: key, days: 30)
        Self.extend(certificate, NID_basic_constraints, "critical,CA:TRUE")
        Self.sign(certificate, issuer: certificate, key: key)
        try folder.write(Self.pem(certificate), to: "authority.pem")
    }

    deinit {
        X509_free(certificate)
        EVP_PKEY_free(key)
    }

    /// Signs a certificate for DNS names and IPv4 addresses, and writes it and its key to files whose names begin with `file`.
    /// - Parameters:
    ///   - subject: the owner, outermost part first; nil for the first name.
    ///   - days: its validity from now on; negative for a certificate that has expired.
    public func issue(
        _ file: String, names: [String] = [], subject: [(String, String)]? = nil, days: Int = 30
    ) throws(ClientError) -> TestCertificate {
        // Tests that run at the same time may use the same name.
        let place = "\(file)-\(issued.add(1, ordering: .relaxed).newValue)"
        let leafKey = Self.makeKey()
        defer { EVP_PKEY_free(leafKey) }
        let leaf = Self.make(subject: subject ?? [("CN", names.first ?? file)], key: leafKey, days: days)
        defer { X509_free(leaf) }
        if !names.isEmpty {
            Self.extend(leaf, NID_subject_alt_name, names.map(Self.alternativeName).joined(separator: ","))
        }
        Self.sign(leaf, issuer: certificate, key: key)
        try folder.write(Self.pem(leaf), to: "\(place).pem")
        try folder.write(Self.pem(key: leafKey), to: "\(place).key")
        return TestCertificate(
            certificate: "\(folder.path)/\(place).pem", key: "\(folder.path)/\(place).key", by: self)
    }

    private static func alternativeName(_ name: String) -> String {
        name.allSatisfy { $0.isNumber || $0 == "." } ? "IP:\(name)" : "DNS:\(name)"
    }

    private static func makeKey() -> OpaquePointer {
        let context = EVP_PKEY_CTX_new_id(EVP_PKEY_EC, nil)
        defer { EVP_PKEY_CTX_free(context) }
        var key: OpaquePointer?
        EVP_PKEY_keygen_init(context)
        EVP_PKEY_CTX_set_ec_paramgen_curve_nid(context, NID_X9_62_prime256v1)
        EVP_PKEY_generate(context, &key)
        return key!
    }

    private static func make(subject: [(String, String)], key: OpaquePointer, days: Int) -> OpaquePointer {
        let certificate = X509_new()!
        X509_set_version(certificate, 2)
        ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), UInt64.random(in: 1...UInt64(Int64.max)))
        let name = X509_get_subject_name(certificate)
        for (field, value) in subject {
            X509_NAME_add_entry_by_txt(
                name, field, MBSTRING_FLAG, Array(value.utf8), Int32(value.utf8.count), -1, 0)
        }
        X509_gmtime_adj(X509_getm_notBefore(certificate), min(-60, days * 86_400 - 60))
        X509_gmtime_adj(X509_getm_notAfter(certificate), days * 86_400)
        X509_set_pubkey(certificate, key)
        return certificate
    }

    private static func extend(_ certificate: OpaquePointer, _ nid: Int32, _ value: String) {
        let field = X509V3_EXT_conf_nid(nil, nil, nid, value)
        X509_add_ext(certificate, field, -1)
        X509_EXTENSION_free(field)
    }

    private static func sign(_ certificate: OpaquePointer, issuer: OpaquePointer, key: OpaquePointer) {
        X509_set_issuer_name(certificate, X509_get_subject_name(issuer))
        X509_sign(certificate, key, EVP_sha256())
    }

    private static func pem(_ certificate: OpaquePointer) -> String {
        text { PEM_write_bio_X509($0, certificate) }
    }

    private static func pem(key: OpaquePointer) -> String {
        text { PEM_write_bio_PrivateKey($0, key, nil, nil, 0, nil, nil) }
    }

    private static func text(_ write: (OpaquePointer) -> Int32) -> String {
        let memory = BIO_new(BIO_s_mem())!
        defer { BIO_free(memory) }
        precondition(write(memory) == 1)
        var bytes: UnsafePointer<CChar>?
        let count = perigee_memory(memory, &bytes)
        return String(decoding: UnsafeRawBufferPointer(start: bytes, count: count), as: UTF8.self)
    }
}

extension TestCertificate {
    /// The pair as the configuration takes it.
    public var paths: CertificatePaths { CertificatePaths(certificate: certificate, key: key) }
}

/// The PEM files of a certificate and its key.
public struct TestCertificate: Sendable {
    /// The certificate.
    public let certificate: String
    /// Its private key.
    public let key: String
    /// The owner of their folder, which must stay as long.
    private let authority: TestAuthority?

    public init(certificate: String, key: String, by authority: TestAuthority? = nil) {
        self.authority = authority
        self.certificate = certificate
        self.key = key
    }
}

// Certificates for tests of the loop, made while the tests run.

import COpenSSL
import Glibc

@testable import EventLoop

enum TestCertificates {
    /// A context with one certificate for localhost.
    static let context = try! TLSContext(TLSSettings(certificates: [pair()]), ticketKeys: TLSTicketKeys())

    /// A self-signed certificate and its key.
    static func pair(names: [String] = ["localhost"], days: Int = 1) throws -> TLSSettings.Certificate {
        let key = makeKey()
        defer { EVP_PKEY_free(key) }
        let certificate = X509_new()!
        defer { X509_free(certificate) }
        X509_set_version(certificate, 2)
        X509_gmtime_adj(X509_getm_notBefore(certificate), min(-60, days * 86_400 - 60))
        X509_gmtime_adj(X509_getm_notAfter(certificate), days * 86_400)
        X509_set_pubkey(certificate, key)
        let list = names.map { "DNS:\($0)" }.joined(separator: ",")
        let field = X509V3_EXT_conf_nid(nil, nil, NID_subject_alt_name, list)
        X509_add_ext(certificate, field, -1)
        X509_EXTENSION_free(field)
        X509_sign(certificate, key, EVP_sha256())
        return .init(
            certificate: try file(pem { PEM_write_bio_X509($0, certificate) }),
            key: try file(pem { PEM_write_bio_PrivateKey($0, key, nil, nil, 0, nil, nil) }))
    }

    /// A file with these bytes, as if it had been read.
    static func file(_ bytes: [UInt8]) throws -> TLSFile {
        var template = Array("/tmp/perigee-test-XXXXXX".utf8CString)
        let descriptor = mkstemp(&template)
        defer {
            close(descriptor)
            unlink(template)
        }
        precondition(write(descriptor, bytes, bytes.count) == bytes.count)
        return try TLSFile(String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self))
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

    private static func pem(_ write: (OpaquePointer) -> Int32) -> [UInt8] {
        let memory = BIO_new(BIO_s_mem())!
        defer { BIO_free(memory) }
        precondition(write(memory) == 1)
        var bytes: UnsafePointer<CChar>?
        let count = perigee_memory(memory, &bytes)
        return Array(UnsafeRawBufferPointer(start: bytes, count: count))
    }
}

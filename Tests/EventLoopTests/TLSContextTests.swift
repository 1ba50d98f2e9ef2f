// The choice of a certificate by name, and the errors for files that are no certificates.

import COpenSSL
import Testing

@testable import EventLoop

@Suite("TLS: certificates", .bounded)
struct TLSContextTests {
    private func context(_ names: [[String]], days: Int = 1) throws -> TLSContext {
        let pairs = try names.map { try TestCertificates.pair(names: $0, days: days) }
        return try TLSContext(TLSSettings(certificates: pairs), ticketKeys: TLSTicketKeys())
    }

    @Test(
        "a name gets the certificate that names it, else a wildcard's, else none",
        arguments: [
            ("a.example", 0), ("A.Example", 0), ("b.example", 1), ("c.wild.example", 1), ("d.wild.example", 2),
            ("wild.example", nil), ("x.d.wild.example", nil), ("", nil), (".", nil), ("example", nil),
        ] as [(String, Int?)])
    func names(_ name: String, _ place: Int?) throws {
        let context = try context([["a.example"], ["b.example", "*.wild.example"], ["d.wild.example", "a.example"]])
        #expect(context.context(forName: name) == place.map { context.contexts[$0] })
    }

    @Test("a certificate that has expired is a warning that names the file")
    func expired() throws {
        let warnings = try context([["a"]], days: -1).warnings
        #expect(warnings.count == 1 && warnings[0].hasSuffix(": the certificate has expired"))
        #expect(try context([["a"]]).warnings == [])
    }

    @Test("each mistake in a file is one sentence that names it")
    func mistakes() throws {
        let good = try TestCertificates.pair()
        let other = try TestCertificates.pair()
        let empty = try TestCertificates.file([])
        let noise = try TestCertificates.file(
            Array("-----BEGIN CERTIFICATE-----\nnoise\n-----END CERTIFICATE-----\n".utf8))
        let damaged = try TestCertificates.file(good.certificate.bytes + noise.bytes)
        let rows: [(TLSSettings.Certificate, String)] = [
            (.init(certificate: empty, key: good.key), "\(empty.path): no certificate in PEM format"),
            (.init(certificate: noise, key: good.key), "\(noise.path): no certificate in PEM format"),
            (.init(certificate: damaged, key: good.key), "\(damaged.path): damaged after the first certificate"),
            (
                .init(certificate: good.certificate, key: good.certificate),
                "\(good.certificate.path): no private key in PEM format without a passphrase"
            ),
            (
                .init(certificate: good.certificate, key: other.key),
                "\(other.key.path): the key does not belong to the certificate \(good.certificate.path)"
            ),
        ]
        for (pair, sentence) in rows {
            let error = #expect(throws: TLSError.self) {
                try TLSContext(TLSSettings(certificates: [pair]), ticketKeys: TLSTicketKeys())
            }
            #expect(error?.description == sentence)
            #expect(ERR_peek_error() == 0, "the thread's queue of errors is left empty")
        }
    }

    @Test("a missing file and a folder are one sentence each")
    func unreadable() {
        #expect(throws: TLSError("/nonexistent.pem: No such file or directory")) { try TLSFile("/nonexistent.pem") }
        #expect(throws: TLSError("/tmp: Is a directory")) { try TLSFile("/tmp") }
    }
}

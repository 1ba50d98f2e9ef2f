// The start of a server with TLS; a mistake in its certificates stops the start.

import PerigeeTestKit
import Settings
import Testing

@testable import Server

@Suite("TLS: start", .bounded)
struct CertificateStartTests {
    @Test("a mistake in a certificate stops the start with one line and exit code 2")
    func startErrors() throws {
        let good = TestAuthority.certificate
        let rows: [(TestCertificate, String)] = [
            (
                TestCertificate(certificate: "/nonexistent.pem", key: good.key),
                "/nonexistent.pem: No such file or directory"
            ),
            (
                TestCertificate(certificate: good.certificate, key: good.certificate),
                "\(good.certificate): no private key in PEM format without a passphrase"
            ),
        ]
        for (pair, line) in rows {
            let arguments = ["--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"]
            let variable = ["PERIGEE_TLS_CERTIFICATES": "\(pair.certificate)=\(pair.key)"]
            let ended = try PerigeeProgram.run(arguments, environment: variable)
            #expect(ended.status == 2)
            #expect(ended.errors == "perigee: \(line)\n")
            let check = try PerigeeProgram.run(["check"], environment: variable)
            #expect(check.status == 1 && check.output == "\(line)\n")
        }
    }

    @Test("a file without an authority stops the start")
    func wrongAuthority() throws {
        let error = #expect(throws: StartError.self) {
            try withSecureServer { configuration in
                configuration.tls.clientCertificates = .required
                configuration.tls.clientCA = TestAuthority.certificate.key
            } _: { _ in
            }
        }
        #expect(error?.description == "\(TestAuthority.certificate.key): no certificate in PEM format")
    }

    @Test("an expired certificate is a warning and serves")
    func expired() throws {
        let old = try TestAuthority.shared.issue("expired", names: ["localhost"], days: -1)
        try withSecureServer([old]) { server in
            try server.log.wait(for: "warning \(old.certificate): the certificate has expired")
            let client = try server.connect { $0.authority = nil }
            try client.send("a")
            #expect(try client.receiveText() == "a")
        }
    }

    @Test("the start-up lines say wss and https")
    func announcement() throws {
        let good = TestAuthority.certificate
        let perigee = try PerigeeProcess(
            scripts: ["main.lua": SecureServer.echo],
            environment: ["PERIGEE_TLS_CERTIFICATES": "\(good.certificate)=\(good.key)", "PERIGEE_ADMIN_TLS": "true"])
        #expect(perigee.announcement.contains { $0.contains("clients    wss://127.0.0.1:") })
        #expect(perigee.announcement.contains { $0.contains("demo page  https://127.0.0.1:") })
        #expect(perigee.announcement.contains { $0.contains("admin API  https://127.0.0.1:") })
        let security = Security.tls(TLSOptions(authority: TestAuthority.shared.path))
        let client = try WebSocketClient.connect(port: perigee.clientPort, security: security)
        try client.send("a")
        #expect(try client.receiveText() == "a")
        #expect(try HTTPClient.once("GET", "/healthz", port: perigee.adminPort, security: security).status == 200)
    }
}

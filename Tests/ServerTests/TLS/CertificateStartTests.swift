// What the configuration says about TLS, and how a server with a mistake in its certificates does not start.

import PerigeeTestKit
import Testing

@testable import Server

@Suite("TLS: start", .bounded)
struct CertificateStartTests {
    @Test("certificates are pairs of paths, in a file and in a variable")
    func reading() throws {
        let yaml = """
            tls:
              certificates:
                - certificate: a.pem
                  key: a.key
                - {certificate: b.pem, key: b.key}
              minVersion: 1.3
              clientCertificates: optional
              clientCA: ca.pem
            admin: {tls: true}
            """
        let configuration = try loadConfiguration(yaml)
        #expect(
            configuration.tls.certificates == [
                CertificatePaths(certificate: "a.pem", key: "a.key"),
                CertificatePaths(certificate: "b.pem", key: "b.key"),
            ])
        #expect(configuration.tls.minVersion == .tls13)
        #expect(configuration.tls.clientCertificates == .optional)
        #expect(configuration.tls.clientCA == "ca.pem")
        #expect(configuration.admin.tls)
        #expect(try loadConfiguration(configuration.render(showSecrets: true)) == configuration)
        let other = try loadConfiguration("", environment: ["PERIGEE_TLS_CERTIFICATES": "a.pem=a.key, b.pem=b.key"])
        #expect(other.tls.certificates == configuration.tls.certificates)
    }

    @Test(
        "what is no pair of paths is told with its place",
        arguments: [
            (
                "tls: {certificates: [a]}",
                "perigee.yaml:1:22: tls.certificates[0] is a text; allowed: a map of certificate and key"
            ),
            (
                "tls: {certificates: [{certificate: a}]}",
                "perigee.yaml:1:22: tls.certificates[0].key is nothing; allowed: the path of a PEM file"
            ),
            (
                "tls: {certificates: [{certificate: a, key: b, file: c}]}",
                "perigee.yaml:1:47: unknown key 'tls.certificates[0].file'; known: certificate, key"
            ),
            ("tls: {minVersion: 1.1}", "perigee.yaml:1:19: tls.minVersion is \"1.1\"; allowed: 1.2, 1.3"),
        ])
    func mistakes(_ yaml: String, _ problem: String) {
        #expect(configurationProblems(yaml) == [problem])
    }

    @Test(
        "TLS without a certificate, and clients' certificates without an authority, are told at once",
        arguments: [
            ("admin: {tls: true}", "admin.tls: TLS needs a certificate"),
            ("tls: {clientCertificates: required, clientCA: ca}", "tls.clientCertificates: clients are asked"),
            (
                "tls: {clientCertificates: optional, certificates: [{certificate: a, key: b}]}",
                "tls.clientCertificates: clients' certificates cannot be verified"
            ),
        ])
    func rules(_ yaml: String, _ message: String) {
        let problems = configurationProblems(yaml)
        #expect(problems.count == 1 && problems[0].contains(message), "\(problems)")
    }

    @Test("a mistake in a certificate stops the start with one line that names the file, and exit code 2")
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

    @Test("an authority that is none stops the start, too")
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

    @Test("a certificate that has expired is a warning, and serves")
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

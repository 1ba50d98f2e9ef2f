// The keys about TLS, and the rules between them.

import Testing

@testable import Settings

@Suite("Configuration of TLS", .bounded)
struct TLSConfigurationTests {
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
        "a mistake in a pair of paths has its place",
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
        "TLS needs a certificate and clients' certificates an authority",
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
}

// TLS as a client: only valid certificates are accepted, and HTTP/2 is used if the server speaks it.

import COpenSSL
import EventLoop
import Glibc
import HTTPClient
import Testing

import class PerigeeTestKit.TestAuthority
import struct PerigeeTestKit.TestCertificate

@Suite("HTTP client: TLS", .bounded)
struct TLSTests {
    private static let authority = try! TestAuthority("Ours")

    private func stage(_ certificate: TestCertificate, authorities: String) throws -> Stage {
        let pair = TLSSettings.Certificate(
            certificate: try TLSFile(certificate.certificate), key: try TLSFile(certificate.key))
        let context = try TLSContext(TLSSettings(certificates: [pair]), ticketKeys: TLSTicketKeys())
        var settings = HTTPClientSettings()
        settings.authorities = authorities
        return try Stage(settings: settings, security: context)
    }

    private func get(_ stage: Stage, host: String = "localhost", redirects: Int = 0) throws -> Stage.Answer? {
        try stage.get("https://\(host):\(stage.backend.port)/secret", redirects: redirects)
    }

    @Test("a certificate of a known authority is accepted")
    func known() throws {
        let certificate = try Self.authority.issue("known", names: ["localhost"])
        let stage = try stage(certificate, authorities: Self.authority.path)
        for _ in 1...3 { #expect(try get(stage)?.text == "/secret") }
        #expect(stage.backend.connections.count == 1)
    }

    @Test("a certificate of an unknown authority is refused")
    func unknown() throws {
        let stranger = try TestAuthority("Stranger")
        let stage = try stage(try stranger.issue("stranger", names: ["localhost"]), authorities: Self.authority.path)
        #expect(try get(stage)?.reason == .tls)
        #expect(stage.backend.requests.isEmpty)
    }

    @Test("the system's authorities do not know the tests' one")
    func system() throws {
        let certificate = try Self.authority.issue("system", names: ["localhost"])
        let stage = try stage(certificate, authorities: HTTPClientSettings.systemAuthorities)
        #expect(try get(stage)?.reason == .tls)
    }

    @Test("a certificate for another name is refused")
    func wrongName() throws {
        let certificate = try Self.authority.issue("elsewhere", names: ["elsewhere.test"])
        let stage = try stage(certificate, authorities: Self.authority.path)
        #expect(try get(stage)?.reason == .tls)
        #expect(stage.backend.requests.isEmpty)
    }

    @Test("a certificate that has expired is refused")
    func expired() throws {
        let certificate = try Self.authority.issue("expired", names: ["localhost"], days: -2)
        let stage = try stage(certificate, authorities: Self.authority.path)
        #expect(try get(stage)?.reason == .tls)
    }

    @Test("a missing file of authorities accepts no server")
    func noAuthorities() throws {
        let certificate = try Self.authority.issue("none", names: ["localhost"])
        let stage = try stage(certificate, authorities: "/nonexistent.pem")
        #expect(try get(stage)?.reason == .tls)
    }

    @Test("the authorities are read once, not for every connection")
    func authoritiesOnce() throws {
        let authority = try TestAuthority("Read once")
        let stage = try stage(try authority.issue("once", names: ["localhost"]), authorities: authority.path)
        stage.backend.answer = { connection, _ in connection.reply("200 OK", ["Connection: close"], "x") }
        #expect(try get(stage)?.text == "x")
        #expect(unlink(authority.path) == 0)
        #expect(try get(stage)?.text == "x")
        #expect(stage.backend.connections.count == 2)
    }

    @Test("a server that speaks no TLS cannot be spoken to")
    func plain() throws {
        let stage = try Stage()
        stage.backend.accepted = { $0.send("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n") }
        #expect(try get(stage)?.reason == .tls)
    }

    @Test("a TLS handshake that never ends is over when the time for connecting is")
    func silent() throws {
        var settings = HTTPClientSettings()
        settings.connectTimeout = 60
        settings.timeout = 60_000
        let stage = try Stage(settings: settings)
        stage.backend.accepted = { $0.isRaw = true }
        #expect(try get(stage)?.reason == .timeout)
    }

    @Test("no redirect leads from https to http")
    func downgrade() throws {
        let certificate = try Self.authority.issue("downgrade", names: ["localhost"])
        let stage = try stage(certificate, authorities: Self.authority.path)
        stage.backend.answer = { connection, _ in
            connection.reply("302 Found", ["Location: http://localhost/"])
        }
        #expect(try get(stage, redirects: 3)?.reason == .redirectRefused)
    }
}

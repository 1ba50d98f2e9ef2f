// Clients that show certificates: those that connect, and their subjects in scripts and the admin API.

import JSON
import PerigeeTestKit
import Server
import Settings
import Testing

@Suite("TLS: client certificates", .bounded)
struct ClientCertificateTests {
    private static let scripts = [
        "main.lua": """
        function onUpgrade(request)
            return { asked = request.certificate or "nobody" }
        end
        function onOpen(conn)
            conn:send((conn.certificate or "nobody") .. "|" .. conn.data.asked)
        end
        function onMessage(conn, message) conn:send(message) end
        """
    ]
    private static let ada = try! TestAuthority.shared.issue("ada", subject: [("O", "Example, Inc"), ("CN", "Ada")])
    private static let stranger = try! TestAuthority("Stranger").issue("eve", subject: [("CN", "Eve")])
    private static let old = try! TestAuthority.shared.issue("old", subject: [("CN", "Old")], days: -1)

    private func withServer(
        _ policy: Configuration.TLS.ClientCertificates, _ body: (TestServer) throws -> Void
    ) throws {
        try withSecureServer(scripts: Self.scripts) { configuration in
            configuration.tls.clientCertificates = policy
            if policy != .none { configuration.tls.clientCA = TestAuthority.shared.path }
        } _: {
            try body($0)
        }
    }

    @Test("by default no client is asked and conn.certificate is nil")
    func none() throws {
        try withServer(.none) { server in
            for identity in [Self.ada, Self.stranger] {
                let client = try server.connect { $0.identity = identity }
                #expect(try client.receiveText() == "nobody|nobody")
            }
        }
    }

    /// A client without a certificate connects.
    @Test("optional: only a wrong client certificate is refused")
    func optional() throws {
        try withServer(.optional) { server in
            let ada = try server.connect { $0.identity = Self.ada }
            #expect(try ada.receiveText() == #"CN=Ada,O=Example\, Inc|CN=Ada,O=Example\, Inc"#)
            #expect(try server.connect { _ in }.receiveText() == "nobody|nobody")
            #expect(server.refusal { $0.identity = Self.stranger }?.contains("TLS: ") == true)
            #expect(server.refusal { $0.identity = Self.old }?.contains("TLS: ") == true)
        }
    }

    @Test(
        "required: both TLS versions refuse a client without a valid certificate",
        arguments: [
            TLSOptions.Version.tls12, .tls13,
        ])
    func required(_ version: TLSOptions.Version) throws {
        try withServer(.required) { server in
            let ada = try server.connect { ($0.identity, $0.version) = (Self.ada, version) }
            #expect(try ada.receiveText().hasPrefix("CN=Ada,"))
            for identity in [nil, Self.stranger, Self.old] {
                #expect(server.refusal { ($0.identity, $0.version) = (identity, version) }?.contains("TLS: ") == true)
            }
            try ada.send("still here")
            #expect(try ada.receiveText() == "still here")
        }
    }

    @Test("a session that goes on is the same client's")
    func resumed() throws {
        try withServer(.required) { server in
            let first = try server.connect { $0.identity = Self.ada }
            let subject = try first.receiveText()
            let ticket = try #require(first.socket.tls?.ticket)
            let next = try server.connect { ($0.identity, $0.session) = (Self.ada, ticket) }
            #expect(next.socket.tls?.isResumed == true)
            #expect(try next.receiveText() == subject)
        }
    }

    @Test("the admin API shows the subject and requests no certificate itself")
    func adminAPI() throws {
        try withServer(.required) { server in
            let ada = try server.connect { $0.identity = Self.ada }
            _ = try ada.receiveText()
            let listed = try server.ask("GET", "/v1/connections").json()["items"]?[0]
            #expect(listed?["certificate"]?.string == #"CN=Ada,O=Example\, Inc"#)
            let id = try #require(listed?["id"]?.string)
            let one = try server.ask("GET", "/v1/connections/\(id)").json()
            #expect(one["certificate"]?.string == #"CN=Ada,O=Example\, Inc"#)
        }
    }
}

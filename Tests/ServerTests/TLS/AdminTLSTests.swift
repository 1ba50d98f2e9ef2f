// The admin API over TLS, with the client that its users have: curl.

import JSON
import PerigeeTestKit
import Server
import Settings
import Testing

@Suite("TLS: admin API", .bounded)
struct AdminTLSTests {
    /// Without trust curl reports the error itself.
    @Test("curl pushes over TLS if it trusts the authority")
    func curl() throws {
        let scripts = ["main.lua": "function onOpen(conn) conn:subscribe('news') conn:send('ready') end"]
        try withSecureServer(scripts: scripts) { server in
            let client = try server.connect()
            #expect(try client.receiveText() == "ready")
            let url = "https://localhost:\(server.adminPort)/v1/channels/news/messages"
            let pushed = try ChildProcess.shell(
                "curl -sS --cacert '\(TestAuthority.shared.path)' -d 'by curl' \(url)", timeout: .seconds(20))
            #expect(pushed.status == 0, "\(pushed.errors)")
            #expect(try JSON(parsing: pushed.output)["queued"] == 1)
            #expect(try client.receiveText() == "by curl")
            #expect(try ChildProcess.shell("env -u CURL_CA_BUNDLE curl -sS -d x \(url)").status == 60)
        }
    }

    @Test("admin.tls is off by default even if the clients' port speaks TLS")
    func plainAdmin() throws {
        try withSecureServer(configure: { $0.admin.tls = false }) { server in
            #expect(try HTTPClient.once("GET", "/healthz", port: server.adminPort, security: .plain).status == 200)
            let health = try HTTPClient.once("GET", "/healthz", port: server.clientPort)
            #expect(health.status == 200)
            #expect(server.server.adminURL.hasPrefix("http://") && server.server.clientURL.hasPrefix("wss://"))
        }
    }

    /// A page of its plain-text twin may not.
    @Test("a page of the API's own origin may ask it")
    func origin() throws {
        try withSecureServer { server in
            let host = "127.0.0.1:\(server.adminPort)"
            #expect(try server.ask("GET", "/v1/node", headers: [("Origin", "https://\(host)")]).status == 200)
            let plain = try server.ask("GET", "/v1/node", headers: [("Origin", "http://\(host)")])
            #expect(plain.errorCode == "origin_not_allowed")
        }
    }
}

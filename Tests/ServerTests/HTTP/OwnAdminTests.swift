// Scripts' requests and this server's own admin API.

import PerigeeTestKit
import Proxies
import Settings
import Testing

@testable import Server

@Suite(
    "Scripts' requests to the own admin API", .plainOnly("over TLS the API's certificate is another matter"), .bounded)
struct OwnAdminTests {
    private static let scripts = [
        "main.lua": """
        function onMessage(conn, url)
          local response, why = http.get(url, {redirects = 3})
          conn:send(response and tostring(response.status) or why)
        end
        """
    ]

    private func expect(_ url: String, _ expected: String, _ server: TestServer) throws {
        let client = try server.connect("/")
        try client.send(url)
        let answer = try client.receiveText()
        #expect(answer == expected, "\(url)")
    }

    @Test("a script does not reach its own admin API by any form of the address")
    func refused() throws {
        try withServer(scripts: Self.scripts) { server in
            let port = server.adminPort
            for host in [
                "127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "2130706433", "0x7f000001", "127.1", "0.0.0.0",
            ] {
                try expect("http://\(host):\(port)/healthz", "address refused", server)
            }
            // The clients' port of the same address is no secret.
            try expect("http://127.0.0.1:\(server.clientPort)/healthz", "200", server)
        }
    }

    @Test("httpClient.allowAdmin opens it, httpClient.allow does not")
    func allowed() throws {
        for opens in [true, false] {
            try withServer(
                scripts: Self.scripts,
                configure: {
                    $0.httpClient.allowAdmin = opens
                    $0.httpClient.allow = [IPNetwork("127.0.0.1")!]
                }
            ) { server in
                try expect(
                    "http://127.0.0.1:\(server.adminPort)/healthz", opens ? "200" : "address refused", server)
            }
        }
    }

    @Test("a redirect does not lead there")
    func redirect() throws {
        let backend = LiveBackend()
        try withServer(scripts: Self.scripts) { server in
            let target = "http://127.0.0.1:\(server.adminPort)/healthz"
            try expect(backend.url("/redirect?\(target)"), "address refused", server)
        }
    }

    @Test("an API that listens everywhere is refused on every local address")
    func wildcard() throws {
        try withServer(
            scripts: Self.scripts,
            configure: {
                $0.admin.listen = .anywhere(port: 0)
                $0.admin.keys = [AdminKey(name: "all", key: "0123456789abcdef", scopes: Set(AdminScope.allCases))]
            }
        ) { server in
            for host in ["127.0.0.1", "127.0.0.9", "localhost"] {
                try expect("http://\(host):\(server.adminPort)/healthz", "address refused", server)
            }
        }
    }
}

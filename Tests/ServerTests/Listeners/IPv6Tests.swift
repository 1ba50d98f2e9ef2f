// Both ports on IPv6: the loopback address, and the wildcard that takes IPv4, too.

import JSON
import PerigeeTestKit
import Server
import Settings
import Testing

@Suite("IPv6", .bounded)
struct IPv6Tests {
    private let script = "function onOpen(conn) conn:send(conn.ip) end"

    @Test("both listeners take clients on [::1]")
    func loopback() throws {
        try withServer(
            scripts: ["main.lua": script],
            configure: {
                $0.listen = ListenAddress("[::1]:0")!
                $0.admin.listen = ListenAddress("[::1]:0")!
            }
        ) { server in
            #expect(server.server.clientAddress == "[::1]:\(server.clientPort)")
            let client = try WebSocketClient.connect(host: "::1", port: server.clientPort)
            #expect(try client.receiveText() == "::1")
            let url = "\(server.server.adminURL)/v1/connections"
            let listed = try ChildProcess.shell("curl -sSk -g '\(url)'", timeout: .seconds(20))
            let address = try JSON(parsing: listed.output)["items"]?[0]?["remoteAddress"]?.string
            #expect(address?.hasPrefix("[::1]:") == true, "\(listed)")
        }
    }

    @Test("[::] takes IPv4 and IPv6 clients and shows each in its own form")
    func dualStack() throws {
        try withServer(
            scripts: ["main.lua": script],
            configure: {
                $0.listen = ListenAddress("[::]:0")!
                $0.admin.listen = ListenAddress("[::]:0")!
                $0.admin.keys = [AdminKey(name: "ops", key: "0123456789abcdef", scopes: Set(AdminScope.allCases))]
            }
        ) { server in
            let four = try WebSocketClient.connect(host: "127.0.0.1", port: server.clientPort)
            #expect(try four.receiveText() == "127.0.0.1")
            let six = try WebSocketClient.connect(host: "::1", port: server.clientPort)
            #expect(try six.receiveText() == "::1")
            let listed = try HTTPClient.once(
                "GET", "/v1/connections", port: server.adminPort, headers: [("X-API-Key", "0123456789abcdef")])
            let addresses = try listed.json()["items"]?.array?.compactMap { $0["remoteAddress"]?.string } ?? []
            #expect(addresses.contains { $0.hasPrefix("127.0.0.1:") } && addresses.contains { $0.hasPrefix("[::1]:") })
        }
    }
}

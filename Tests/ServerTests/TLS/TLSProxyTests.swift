// TLS behind a proxy that passes it on: the PROXY protocol's header comes in plain text, and the handshake after it.

import PerigeeTestKit
import Proxies
import Server
import Settings
import Testing

@Suite("TLS: behind a proxy", .bounded)
struct TLSProxyTests {
    private func withProxied(_ body: (TestServer) throws -> Void) throws {
        try withSecureServer(scripts: ["main.lua": "function onOpen(conn) conn:send(conn.ip) end"]) { configuration in
            configuration.proxies.protocol = true
            configuration.proxies.trusted = [IPNetwork("127.0.0.0/8")!]
        } _: {
            try body($0)
        }
    }

    @Test(
        "TLS: the header names the client in any split of header and handshake",
        arguments: [1, 7, 45, 4096])
    func named(_ size: Int) throws {
        try withProxied { server in
            let socket = try RawSocket.connect(port: server.clientPort, timeout: .seconds(10), security: .plain)
            try socket.send(Array("PROXY TCP4 192.0.2.7 198.51.100.1 56324 443\r\n".utf8), inPiecesOf: size)
            try socket.startTLS(TLSOptions(authority: TestAuthority.shared.path))
            try socket.send(server.upgrade())
            #expect(try WebSocketClient.adopt(socket).receiveText() == "192.0.2.7")
        }
    }

    @Test("a handshake without the header in front of it is cut")
    func nameless() throws {
        try withProxied { server in
            #expect(throws: ClientError.self) { try server.connect() }
            let closes = try server.closes(for: "proxy_header")
            #expect(closes == 1)
        }
    }
}

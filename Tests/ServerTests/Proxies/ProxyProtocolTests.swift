// The PROXY protocol on the clients' port: with it the server knows the client, and without it every connection is refused.

import JSON
import PerigeeTestKit
import Proxies
import Server
import Settings
import Testing

@Suite("PROXY protocol", .plainOnly("the header comes before TLS; TLSProxyTests has both"), .bounded)
struct ProxyProtocolTests {
    private static let script = "function onOpen(conn) conn:send(conn.ip) end"

    private static let text = Array("PROXY TCP4 192.0.2.7 198.51.100.1 56324 443\r\n".utf8)
    private static let binary: [UInt8] =
        [0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A, 0x21, 0x21, 0, 39]
        + [0x20, 0x01, 0x0D, 0xB8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7] + [UInt8](repeating: 0, count: 15)
        + [1, 0x12, 0x67, 0x01, 0xBB, 0x04, 0, 0]
    private static let local: [UInt8] = Array(binary.prefix(12)) + [0x20, 0, 0, 0]

    /// A server that trusts this machine's proxies and wants to be introduced.
    private func withProxied(
        trusted: String = "127.0.0.0/8", configure: (inout Configuration) -> Void = { _ in },
        _ body: (TestServer) throws -> Void
    ) throws {
        try withServer(
            scripts: ["main.lua": Self.script],
            configure: {
                $0.proxies.protocol = true
                $0.proxies.trusted = [IPNetwork(trusted)!]
                configure(&$0)
            }, body)
    }

    @Test(
        "the header names the client for scripts and for the admin API",
        arguments: [(text, "192.0.2.7", "192.0.2.7:56324"), (binary, "2001:db8::7", "[2001:db8::7]:4711")])
    func named(header: [UInt8], ip: String, address: String) throws {
        try withProxied { server in
            let socket = try server.dial()
            try socket.send(header + server.upgrade())
            let client = try WebSocketClient.adopt(socket)
            #expect(try client.receiveText() == ip)
            let listed = try HTTPClient.once("GET", "/v1/connections", port: server.adminPort).json()
            #expect(listed["items"]?[0]?["remoteAddress"]?.string == address)
            withExtendedLifetime(client) {}
        }
    }

    @Test("the header may come in two pieces at any split or byte by byte", arguments: [text, binary])
    func pieces(header: [UInt8]) throws {
        let ip = header.first == UInt8(ascii: "P") ? "192.0.2.7" : "2001:db8::7"
        try withProxied { server in
            let sockets = try header.indices.map { cut in
                let socket = try server.dial()
                try socket.send(Array(header[..<cut]))
                return (socket, rest: header[cut...])
            }
            // The first pieces are read by now, or in time: the answer to a later connection says so.
            #expect(try HTTPClient.once("GET", "/v1/node", port: server.adminPort).status == 200)
            for (socket, rest) in sockets {
                try socket.send(Array(rest) + server.upgrade())
                #expect(try WebSocketClient.adopt(socket).receiveText() == ip)
            }
            let socket = try server.dial()
            try socket.send(header + server.upgrade(), inPiecesOf: 1)
            #expect(try WebSocketClient.adopt(socket).receiveText() == ip)
        }
    }

    @Test(
        "a proxy that speaks for itself or for nobody known is the client",
        arguments: [
            local, Array("PROXY UNKNOWN\r\n".utf8),
        ])
    func itself(header: [UInt8]) throws {
        try withProxied { server in
            let socket = try server.dial()
            try socket.send(header + server.upgrade())
            #expect(try WebSocketClient.adopt(socket).receiveText() == "127.0.0.1")
        }
    }

    @Test("a client that the header names is not believed when it names another")
    func spoofed() throws {
        try withProxied { server in
            let socket = try server.dial()
            try socket.send(Self.text + server.upgrade(headers: [("X-Forwarded-For", "6.6.6.6")]))
            #expect(try WebSocketClient.adopt(socket).receiveText() == "192.0.2.7")
        }
    }

    @Test("a second trusted proxy that the header names may name the client")
    func chained() throws {
        try withProxied { server in
            let socket = try server.dial()
            let header = Array("PROXY TCP4 127.9.9.9 127.0.0.1 1 2\r\n".utf8)
            try socket.send(header + server.upgrade(headers: [("X-Forwarded-For", "6.6.6.6, 192.0.2.9")]))
            #expect(try WebSocketClient.adopt(socket).receiveText() == "192.0.2.9")
        }
    }

    @Test("a plain request behind a header is answered")
    func plain() throws {
        try withProxied { server in
            let socket = try server.dial()
            try socket.send(Self.local + Array("GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n".utf8))
            #expect(try HTTPResponse.read(from: socket, method: "GET").text == "ok")
        }
    }

    /// It gets no answer.
    @Test(
        "a connection that begins with anything else is cut and counted",
        arguments: [
            "GET / HTTP/1.1\r\nHost: h\r\n\r\n", "PROXY TCP4 nonsense\r\n", "\u{16}\u{3}\u{1}", "\r\n\r\n\0\r\nQUIX",
            "PROXY UNKNOWN" + String(repeating: " x", count: 100),
        ])
    func garbage(bytes: String) throws {
        try withProxied { server in
            let socket = try server.dial()
            try socket.send(bytes)
            #expect(try socket.awaitEnd() == [])
            #expect(try server.closes(for: "proxy_header") == 1)
            let healthy = try server.dial()
            try healthy.send(Self.text + server.upgrade())
            #expect(try WebSocketClient.adopt(healthy).receiveText() == "192.0.2.7")
        }
    }

    /// It gets no answer.
    @Test(
        "a header that is late by timeouts.handshake ends the connection",
        arguments: [0, 1, 20])
    func late(count: Int) throws {
        try withProxied(configure: { $0.timeouts.handshake = .milliseconds(50) }) { server in
            let socket = try server.dial()
            try socket.send(Array(Self.text.prefix(count)))
            #expect(try socket.awaitEnd() == [])
            #expect(try server.closes(for: "handshake_timeout") == 1)
        }
    }

    @Test("a peer that is no trusted proxy is cut and counted")
    func untrusted() throws {
        try withProxied(trusted: "10.0.0.0/8") { server in
            let socket = try server.dial()
            #expect(try socket.awaitEnd() == [])
            #expect(try server.closes(for: "untrusted_proxy") == 1)
        }
    }

    @Test("on a UNIX socket every proxy is trusted")
    func unix() throws {
        let files = try SocketFile()
        try withServer(
            scripts: ["main.lua": Self.script],
            configure: {
                files.use(in: &$0)
                $0.proxies.protocol = true
            }
        ) { _ in
            let socket = try RawSocket.connect(path: files.clients, timeout: .seconds(10))
            try socket.send(Self.text + Array(WebSocketClient.request(host: "localhost").utf8))
            #expect(try WebSocketClient.adopt(socket).receiveText() == "192.0.2.7")
        }
    }
}

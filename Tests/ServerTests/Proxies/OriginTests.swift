// Which web pages may connect: by default those of the server's own host.

import JSON
import PerigeeTestKit
import Proxies
import Server
import Settings
import Testing

@Suite("Origins", .bounded)
struct OriginTests {
    private func refusal(_ server: TestServer, _ headers: [(String, String)]) throws -> Int {
        try WebSocketClient.handshakeRefused(port: server.clientPort, path: "/echo", headers: headers).status
    }

    @Test("a page of another origin is answered 403 in words, and counted")
    func foreign() throws {
        try withServer { server in
            for origin in ["https://evil.example", "null", "http://127.0.0.1:1", "http://127.0.0.1.evil.example"] {
                #expect(try refusal(server, [("Origin", origin)]) == 403, "\(origin)")
            }
            let answer = try WebSocketClient.handshakeRefused(
                port: server.clientPort, path: "/echo", headers: [("Origin", "https://evil.example")])
            #expect(answer.text.contains("websocket.origins"))
            #expect(try server.nodeState()["originsRefused"] == 5)
            #expect(try server.nodeState()["handshakesRefused"] == 5)
        }
    }

    @Test("a page of the host that the request is for may connect, and so may a program, which sends no Origin")
    func same() throws {
        try withServer { server in
            _ = try server.connect("/echo")
            _ = try server.connect("/echo", headers: [("Origin", "http://127.0.0.1:\(server.clientPort)")])
            // Before a proxy that ends TLS the page was https, and the proxy has kept the Host.
            _ = try server.connect("/echo", headers: [("Origin", "https://chat.example"), ("Host", "chat.example")])
        }
    }

    @Test("with websocket.origins those may connect that are listed, and no other page")
    func listed() throws {
        let rules = ["https://app.example", "https://*.app.example"].map { OriginRule($0)! }
        try withServer(configure: { $0.websocket.origins = rules }) { server in
            _ = try server.connect("/echo")
            _ = try server.connect("/echo", headers: [("Origin", "https://app.example")])
            _ = try server.connect("/echo", headers: [("Origin", "https://eu.app.example")])
            #expect(try refusal(server, [("Origin", "http://127.0.0.1:\(server.clientPort)")]) == 403)
            #expect(try refusal(server, [("Origin", "https://app.example"), ("Origin", "https://app.example")]) == 403)
        }
    }

    @Test("with * every page may connect")
    func any() throws {
        try withServer(configure: { $0.websocket.origins = [.any] }) { server in
            _ = try server.connect("/echo", headers: [("Origin", "null")])
        }
    }

    @Test("a plain request is answered whatever its Origin")
    func plain() throws {
        try withServer { server in
            let answer = try HTTPClient.once(
                "GET", "/healthz", port: server.clientPort, headers: [("Origin", "https://evil.example")])
            #expect(answer.status == 200)
        }
    }

    @Test("in a browser, the server's own page connects, and another server's page does not")
    func browser() throws {
        try withServer { server in
            try withServer { other in
                let browser = try Chromium.start()
                let page = try browser.open("\(other.server.pageURL)/")
                let connect = { (url: String) in
                    """
                    new Promise(done => {
                      const socket = new WebSocket('\(url)/echo')
                      socket.onopen = () => done('open')
                      socket.onerror = () => done('refused')
                    })
                    """
                }
                #expect(try page.evaluate(connect(other.server.clientURL)) == "open")
                #expect(try page.evaluate(connect(server.server.clientURL)) == "refused")
                #expect(try server.nodeState()["originsRefused"] == 1)
            }
        }
    }
}

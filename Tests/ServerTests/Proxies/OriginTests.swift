// The web pages that may connect: by default those of the server's own host.

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

    @Test("a page of another origin is answered 403 in words and counted")
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

    /// So may a program, which sends no Origin.
    @Test("a page of the requested host may connect")
    func same() throws {
        try withServer { server in
            _ = try server.connect("/echo")
            _ = try server.connect("/echo", headers: [("Origin", "http://127.0.0.1:\(server.clientPort)")])
            // Before a proxy that ends TLS the page was https, and the proxy has kept the Host.
            _ = try server.connect("/echo", headers: [("Origin", "https://chat.example"), ("Host", "chat.example")])
        }
    }

    @Test("websocket.origins admits the listed pages and no other")
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

    @Test("a plain request of any Origin is answered")
    func plain() throws {
        try withServer { server in
            let answer = try HTTPClient.once(
                "GET", "/healthz", port: server.clientPort, headers: [("Origin", "https://evil.example")])
            #expect(answer.status == 200)
        }
    }

    @Test("a browser connects the server's own page and not another server's")
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

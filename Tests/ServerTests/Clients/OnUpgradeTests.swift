// onUpgrade over the wire: accepting with data and a subprotocol, and refusing.

import JSON
import PerigeeTestKit
import Server
import Settings
import Testing

@Suite("onUpgrade", .bounded)
struct OnUpgradeTests {
    /// A table accepts too and is conn.data.
    @Test("true accepts")
    func accepts() throws {
        let script = #"""
            function onUpgrade(request)
                if request.query.name then return { name = request.query.name, visits = 1 } end
                return true
            end
            function onOpen(conn) conn:send(conn.data) end
            """#
        try withServer(scripts: ["main.lua": script]) { server in
            let expected: JSON = ["name": "Ada Byron", "visits": 1]
            let named = try server.connect("/?name=Ada%20Byron")
            #expect(try named.receiveJSON() == expected)
            let nameless = try server.connect("/")
            #expect(try nameless.receiveJSON().object?.isEmpty != false)
        }
    }

    @Test("sees the path, query, headers, cookies, address and subprotocols")
    func request() throws {
        let script = #"""
            function onUpgrade(request)
                return {
                    path = request.path, q = request.query.q, pairs = #request.query, agent = request.headers["user-agent"],
                    session = request.cookies.session, ip = request.ip, subprotocols = request.subprotocols,
                }
            end
            function onOpen(conn) conn:send(conn.data) end
            """#
        try withServer(scripts: ["main.lua": script]) { server in
            let client = try server.connect(
                "/caf%C3%A9?q=%26&q=2&empty", headers: [("User-Agent", "tests/1"), ("Cookie", "a=b; session=s3")],
                subprotocols: ["two", "one"])
            let expected: JSON = [
                "path": "/café", "q": "&", "pairs": 3, "agent": "tests/1", "session": "s3", "ip": "127.0.0.1",
                "subprotocols": ["two", "one"],
            ]
            #expect(try client.receiveJSON() == expected)
        }
    }

    /// onOpen is not called.
    @Test("false refuses with its status and body or with 403")
    func refuses() throws {
        let script = #"""
            function onUpgrade(request)
                if request.path == "/busy" then return false, 503, "come back later" end
                return false
            end
            function onOpen() log.info("opened") end
            """#
        try withServer(scripts: ["main.lua": script]) { server in
            let busy = try WebSocketClient.handshakeRefused(port: server.clientPort, path: "/busy")
            #expect(busy.status == 503 && busy.text == "come back later")
            #expect(try WebSocketClient.handshakeRefused(port: server.clientPort).status == 403)
            #expect(!server.log.lines.contains { $0.contains("opened") })
            #expect(try server.nodeState()["handshakesRefused"] == 2)
        }
    }

    @Test("error{code = 401, reason = …} refuses with that status and text")
    func refusesByError() throws {
        let script = #"function onUpgrade() error { code = 401, reason = "who are you?" } end"#
        try withServer(scripts: ["main.lua": script]) { server in
            let refusal = try WebSocketClient.handshakeRefused(port: server.clientPort)
            #expect(refusal.status == 401 && refusal.text == "who are you?")
        }
    }

    @Test(
        "an error in it is answered 500 without details and logged with its line",
        arguments: [
            ("local missing = request.query.a.b", "main.lua:2"),
            ("return 'yes'", "onUpgrade must return true, a table or false, not string"),
            ("return false, 200", "the status of a refusal must be from 300 to 599"),
            ("return { subprotocol = 'soap' }", "subprotocol 'soap', which was not offered"),
        ])
    func mistake(line: String, logged: String) throws {
        let script = "function onUpgrade(request)\n\(line)\nend"
        try withServer(scripts: ["main.lua": script]) { server in
            let refusal = try WebSocketClient.handshakeRefused(port: server.clientPort)
            #expect(refusal.status == 500 && refusal.text == "the handler script failed")
            let entry = try server.log.wait(for: logged)
            #expect(entry.hasPrefix("error") && entry.contains("main.lua"))
        }
    }

    @Test("chooses among the offered subprotocols, before the configuration does")
    func subprotocol() throws {
        let script = """
            function onUpgrade(request)
                return { subprotocol = request.query.choose }
            end
            function onOpen(conn) conn:send(conn.subprotocol or "none") end
            """
        try withServer(scripts: ["main.lua": script], configure: { $0.websocket.subprotocols = ["v1", "v2"] }) {
            server in
            let chosen = try server.connect("/?choose=v3", subprotocols: ["v2", "v3"])
            #expect(try chosen.subprotocol == "v3" && chosen.receiveText() == "v3")
            let configured = try server.connect("/", subprotocols: ["v2", "v3"])
            #expect(try configured.subprotocol == "v2" && configured.receiveText() == "v2")
        }
    }

    @Test("falls back to the configured subprotocol or to none")
    func configuredSubprotocol() throws {
        try withServer(configure: { $0.websocket.subprotocols = ["chat", "news"] }) { server in
            for (offered, chosen) in [(["soap", "news"], "news"), (["soap", "NEWS"], nil), ([], nil)] {
                let client = try server.connect("/echo", subprotocols: offered)
                #expect(client.subprotocol == chosen)
            }
        }
    }
}

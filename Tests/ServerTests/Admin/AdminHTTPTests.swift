// HTTP as the admin API speaks it: methods, limits, times, framing, pipelines, and peers that leave.

import Glibc
import JSON
import PerigeeTestKit
import Settings
import Testing

@testable import Admin
@testable import Server

@Suite("Admin: HTTP", .bounded)
struct AdminHTTPTests {
    private static let path = "/v1/channels/news/messages"

    private func post(_ body: String, headers: String = "") -> String {
        "POST \(Self.path) HTTP/1.1\r\nHost: 127.0.0.1\r\n\(headers)Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
    }

    // MARK: Methods and paths

    @Test("a known path with another method is 405 with Allow, others are 404")
    func methods() throws {
        try withServer(scripts: AdminScripts.both) { server in
            for route in AdminRoute.all {
                let path = route.path.replacing("{channel}", with: "a").replacing("{id}", with: "b")
                    .replacing("{user}", with: "c").replacing("{name}", with: "d")
                let taken = Set(AdminRoute.all.filter { $0.path == route.path }.map { "\($0.method)".uppercased() })
                for method in ["PATCH", "PUT", "OPTIONS", "BREW"] where !taken.contains(method) {
                    let answer = try server.ask(method, path)
                    #expect(answer.status == 405 && answer.errorCode == "method_not_allowed", "\(method) \(path)")
                    let allowed = Set((answer.header("Allow") ?? "").split(separator: ", ").map(String.init))
                    #expect(allowed == (taken.contains("GET") ? taken.union(["HEAD"]) : taken))
                }
            }
            for path in [
                "/", "/v1", "/v2/node", "/v1/nodes", "/v1/connections/a/b", "/v1/channels//messages", "/v1/Node",
                "//v1/node", "/v1//node", "/v1/node/", "//v1///node//", "/v1/./node", "/v1/x/../node", "/%761/node",
                "/v1/connections/", "//healthz", "/healthz/", "/readyz//", "/v1/connections//", "//",
            ] {
                let answer = try server.ask("GET", path)
                #expect(answer.status == 404 && answer.errorCode == "not_found", "\(path)")
            }
        }
    }

    @Test("HEAD is answered as GET would be, length included, without the body")
    func head() throws {
        try withServer(scripts: AdminScripts.both) { server in
            let admin = HTTPClient(port: server.adminPort)
            for path in ["/healthz", "/v1/channels", "/v1/connections/nobody", "/nowhere"] {
                let full = try admin.request("GET", path)
                let head = try admin.request("HEAD", path)
                #expect(head.status == full.status && head.body.isEmpty)
                #expect(head.header("Content-Length") == "\(full.body.count)")
                #expect(head.header("Content-Type") == full.header("Content-Type"))
            }
            #expect(try admin.request("HEAD", "/v1/messages").status == 405)
        }
    }

    @Test("a large answer reaches its reader, with and without keep-alive")
    func largeAnswer() throws {
        let size = 7 << 20
        let script = "function onOpen() end function onRequest() return 200, ('x'):rep(\(size)) end"
        try withServer(scripts: ["main.lua": script]) { server in
            for field in ["Connection: close\r\n", ""] {
                let socket = try RawSocket.connect(port: server.adminPort, timeout: .seconds(20), receiveBuffer: 4_096)
                try socket.send("GET /v1/call/main HTTP/1.1\r\nHost: 127.0.0.1\r\n\(field)\r\n")
                if field.isEmpty { try socket.shutdownWrite() }
                _ = try socket.read(until: "\r\n\r\n")
                #expect(try socket.awaitEnd().count == size)
            }
        }
    }

    // MARK: Limits and times

    /// A larger one is 413 and pushes nothing.
    @Test("the largest body passes")
    func tooLarge() throws {
        try withServer(scripts: AdminScripts.both, configure: { $0.admin.maxBody = 1000 }) { server in
            let client = try Client(server, "/?channel=news")
            let body = String(repeating: "x", count: 1000)
            #expect(try server.ask("POST", Self.path, body: body).status == 200)
            #expect(try client.socket.receiveText() == body)
            let declared = "POST \(Self.path) HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1001\r\n\r\n"
            let chunked =
                "POST \(Self.path) HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n3e8\r\n\(body)\r\n1\r\n"
            for request in [declared, chunked] {
                let socket = try server.openAdmin()
                try socket.send(request)
                let answer = try HTTPResponse.read(from: socket, method: "POST")
                #expect(answer.status == 413 && answer.errorCode == "body_too_large")
                #expect(answer.header("Connection") == "close" && answer.header("X-Request-Id") != nil)
                #expect(try socket.awaitEnd() == [])
            }
            #expect(try client.socket.receiveAll() == [])
        }
    }

    @Test("a request that stops anywhere is 408 in time and ends the connection")
    func slow() throws {
        try withServer(scripts: AdminScripts.both, configure: { $0.admin.requestTimeout = .milliseconds(200) }) {
            server in
            let whole = Array(post("hello").utf8)
            for part in [1, 20, whole.count - 5, whole.count - 1] {
                let socket = try server.openAdmin()
                try socket.send(Array(whole.prefix(part)))
                let answer = try HTTPResponse.read(from: socket, method: "POST")
                #expect(answer.status == 408 && answer.errorCode == "request_timeout", "after \(part): \(answer)")
                #expect(try socket.awaitEnd() == [])
            }
        }
    }

    @Test("a kept connection without a further request is closed without an answer")
    func idle() throws {
        try withServer(scripts: AdminScripts.both, configure: { $0.admin.requestTimeout = .milliseconds(200) }) {
            server in
            let socket = try server.openAdmin()
            try socket.send(post("hello"))
            #expect(try HTTPResponse.read(from: socket, method: "POST").status == 200)
            #expect(try socket.awaitEnd() == [])
        }
    }

    @Test("refuses heads, request lines, versions and expectations by their codes")
    func heads() throws {
        try withServer(scripts: AdminScripts.both, configure: { $0.http.maxHead = 16 << 10 }) { server in
            let long = String(repeating: "x", count: 20 << 10)
            let rows: [(request: String, status: Int, code: String)] = [
                ("GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nX: \(long)\r\n\r\n", 431, "head_too_large"),
                ("GET /\(long.prefix(9000)) HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", 414, "target_too_long"),
                ("GET /healthz HTTP/2.0\r\nHost: 127.0.0.1\r\n\r\n", 505, "http_version_not_supported"),
                ("GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nExpect: tea\r\n\r\n", 417, "expectation_failed"),
                ("GET /healthz HTTP/1.1\r\n\r\n", 400, "bad_request"), ("hello\r\n\r\n", 400, "bad_request"),
                (
                    "POST \(Self.path) HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
                    400, "bad_request"
                ),
            ]
            for row in rows {
                let socket = try server.openAdmin()
                try socket.send(row.request)
                let answer = try HTTPResponse.read(from: socket, method: "GET")
                #expect(answer.status == row.status && answer.errorCode == row.code, "\(row.request.prefix(60))")
                #expect(try socket.awaitEnd() == [])
            }
        }
    }

    // MARK: Framing

    @Test("Expect: 100-continue gets its 100 before the body is sent")
    func expectContinue() throws {
        try withServer(scripts: AdminScripts.both) { server in
            let client = try Client(server, "/?channel=news")
            let socket = try server.openAdmin()
            let head = "POST \(Self.path) HTTP/1.1\r\nHost: 127.0.0.1\r\nExpect: 100-continue\r\n"
            for framing in ["Content-Length: 5\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n"] {
                try socket.send(head + framing)
                #expect(try HTTPResponse.read(from: socket, method: "POST", skipsInterim: false).status == 100)
                try socket.send(framing.hasPrefix("C") ? "hello" : "5\r\nhello\r\n0\r\n\r\n")
                #expect(try HTTPResponse.read(from: socket, method: "POST", skipsInterim: false).status == 200)
                #expect(try client.socket.receiveText() == "hello")
            }
        }
    }

    @Test("a client without the scope is refused instead of getting its 100")
    func expectRefused() throws {
        let key = AdminKey(name: "shop", key: "publish-key-0123456789")
        try withServer(scripts: AdminScripts.both, configure: { $0.admin.keys = [key] }) { server in
            let head = "POST \(Self.path) HTTP/1.1\r\nHost: 127.0.0.1\r\nExpect: 100-continue\r\nX-Request-Id: 7\r\n"
            let socket = try server.openAdmin()
            try socket.send(head + "Content-Length: 5\r\n\r\n")
            let answer = try HTTPResponse.read(from: socket, method: "POST", skipsInterim: false)
            #expect(answer.status == 401 && answer.header("Connection") == "close")
            #expect(answer.header("X-Request-Id") == "7")
            #expect(try socket.awaitEnd() == [])
        }
    }

    @Test("chunked bodies are joined, also when they arrive byte by byte")
    func chunked() throws {
        try withServer(scripts: AdminScripts.both) { server in
            let client = try Client(server, "/?channel=news")
            let request =
                "POST \(Self.path) HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n"
                + "3\r\nhel\r\n1;x=y\r\nl\r\n1\r\no\r\n0\r\nTrailer: x\r\n\r\n"
            let socket = try server.openAdmin()
            for size in [request.utf8.count, 1] {
                try socket.send(Array(request.utf8), inPiecesOf: size)
                #expect(try HTTPResponse.read(from: socket, method: "POST").status == 200)
                #expect(try client.socket.receiveText() == "hello")
            }
        }
    }

    // MARK: Many requests on one connection

    @Test("100 requests in one write are pushed and answered once, in order")
    func pipeline() throws {
        try withServer(scripts: AdminScripts.both) { server in
            let client = try Client(server, "/?channel=news")
            let socket = try server.openAdmin()
            try socket.send((0..<100).map { post("\($0)", headers: "X-Request-Id: \($0)\r\n") }.joined())
            for number in 0..<100 {
                let answer = try HTTPResponse.read(from: socket, method: "POST")
                #expect(answer.status == 200 && answer.header("X-Request-Id") == "\(number)")
                #expect(try answer.json()["queued"] == 1)
            }
            #expect(try client.socket.receiveAll() == (0..<100).map { .text("\($0)") })
            try socket.shutdownWrite()
            #expect(try socket.readToEnd() == [])
        }
    }

    @Test("a pipeline of immediate and asking requests keeps its order")
    func mixedPipeline() throws {
        try withServer(scripts: AdminScripts.both) { server in
            _ = try Client(server, "/?channel=news")
            let socket = try server.openAdmin()
            let kinds = ["GET /healthz", "GET /nowhere", "GET /v1/node", "PUT /v1/node"]
            let statuses = [200, 404, 200, 405]
            let requests = (0..<100).map {
                "\(kinds[$0 % 4]) HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Request-Id: \($0)\r\n\r\n"
            }
            try socket.send(requests.joined())
            for number in 0..<100 {
                let answer = try HTTPResponse.read(from: socket, method: "GET")
                #expect(answer.status == statuses[number % 4] && answer.header("X-Request-Id") == "\(number)")
            }
            try socket.shutdownWrite()
            #expect(try socket.readToEnd() == [])
        }
    }

    @Test("a request behind pushes on its connection sees their effect")
    func effect() throws {
        try withServer(scripts: AdminScripts.both) { server in
            let client = try Client(server, "/?channel=news")
            let socket = try server.openAdmin()
            let look = "GET /v1/connections/\(client.id) HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
            for round in 1...5 {
                try socket.send((0..<20).map { post("\($0)") }.joined() + look + post("behind"))
                for _ in 0..<20 { #expect(try HTTPResponse.read(from: socket, method: "POST").status == 200) }
                let seen = try HTTPResponse.read(from: socket, method: "GET").json()
                // The first message was the id, and each round has one push behind its look.
                #expect(seen["messagesOut"]?.int == 20 * round + round)
                #expect(try HTTPResponse.read(from: socket, method: "POST").status == 200)
            }
        }
    }

    @Test("a peer that closes its side is still answered every request")
    func halfClose() throws {
        try withServer(scripts: AdminScripts.both) { server in
            let client = try Client(server, "/?channel=news")
            let socket = try server.openAdmin()
            try socket.send((0..<5).map { post("\($0)") }.joined())
            try socket.shutdownWrite()
            for _ in 0..<5 { #expect(try HTTPResponse.read(from: socket, method: "POST").status == 200) }
            #expect(try socket.readToEnd() == [])
            #expect(try client.socket.receiveAll().count == 5)
        }
    }

    @Test("a connection is kept until the peer says close, or speaks HTTP/1.0")
    func keepAlive() throws {
        try withServer(scripts: AdminScripts.both) { server in
            let socket = try server.openAdmin()
            for _ in 0..<20 {
                try socket.send(post("x"))
                #expect(try HTTPResponse.read(from: socket, method: "POST").header("Connection") == nil)
            }
            try socket.send(post("x", headers: "Connection: close\r\n"))
            #expect(try HTTPResponse.read(from: socket, method: "POST").header("Connection") == "close")
            #expect(try socket.readToEnd() == [])
            let old = try server.openAdmin()
            try old.send("GET /healthz HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n")
            #expect(try HTTPResponse.read(from: old, method: "GET").status == 200)
            #expect(try old.readToEnd() == [])
        }
    }

    @Test("a peer that hangs up before its answer has still pushed")
    func hangUp() throws {
        try withServer(scripts: AdminScripts.both) { server in
            let client = try Client(server, "/?channel=news")
            for number in 0..<20 {
                let socket = try server.openAdmin()
                try socket.send(post("\(number)"))
                socket.close()
                #expect(try client.socket.receiveText() == "\(number)")
            }
            let reset = try server.openAdmin()
            try reset.send("GET /v1/node HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\nGET /v1/n")
            try reset.reset()
            #expect(try server.ask("GET", "/v1/node").status == 200)
        }
    }

    // MARK: Request ids

    @Test("every answer has an X-Request-Id, the client's own where it is valid")
    func requestIDs() throws {
        try withServer(scripts: AdminScripts.both) { server in
            let long = String(repeating: "x", count: 129)
            for (path, status) in [("/healthz", 200), ("/v1/node", 200), ("/nowhere", 404)] {
                let own = try server.ask("GET", path, headers: [("X-Request-Id", "trace-1/2")])
                #expect(own.status == status && own.header("X-Request-Id") == "trace-1/2")
                for bad in [long, "a b", "ä", ""] {
                    let answer = try server.ask("GET", path, headers: [("X-Request-Id", bad)])
                    let given = try #require(answer.header("X-Request-Id"))
                    #expect(given != bad && !given.isEmpty)
                }
            }
            let ids = try (0..<50).map { _ in try server.ask("GET", "/healthz").header("X-Request-Id") }
            #expect(Set(ids).count == 50)
        }
    }
}

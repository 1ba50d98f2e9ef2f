// The clients' port answers requests that are not for a WebSocket.

import JSON
import PerigeeTestKit
import Server
import Settings
import Testing

@Suite("Plain requests on the clients' port", .bounded)
struct PlainRequestTests {
    /// HEAD / answers the same without the page.
    @Test("GET / answers the demo page with the admin API's address")
    func demoPage() throws {
        try withServer { server in
            let http = HTTPClient(port: server.clientPort)
            let page = try http.request("GET", "/?channel=news")
            #expect(page.status == 200 && page.header("Content-Type") == "text/html; charset=utf-8")
            #expect(page.text.contains(server.server.adminURL))
            let head = try http.request("HEAD", "/")
            #expect(head.status == 200 && head.body.isEmpty)
            #expect(head.header("Content-Length") == "\(page.body.count)")
        }
    }

    @Test("with demo off, GET / is answered 426 and /healthz as before")
    func demoOff() throws {
        try withServer(configure: { $0.demo = .nobody }) { server in
            let page = try HTTPClient.once("GET", "/", port: server.clientPort)
            let health = try HTTPClient.once("GET", "/healthz", port: server.clientPort)
            #expect(page.status == 426 && health.text == "ok")
        }
    }

    @Test(
        "any other path or method is answered 426 with the Upgrade field",
        arguments: [("GET", "/echo"), ("GET", "/favicon.ico"), ("HEAD", "/x"), ("POST", "/"), ("OPTIONS", "*")])
    func other(method: String, path: String) throws {
        try withServer { server in
            let response = try HTTPClient.once(method, path, port: server.clientPort)
            #expect(response.status == 426 && response.header("Upgrade") == "websocket")
        }
    }

    @Test("a body over the limit is answered 413 before it comes")
    func body() throws {
        try withServer { server in
            let socket = try server.dial()
            try socket.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 999999999\r\n\r\n")
            #expect(try HTTPResponse.read(from: socket, method: "POST").status == 413)
        }
    }

    @Test("keeps the connection until the client says close or speaks HTTP/1.0")
    func keepAlive() throws {
        try withServer { server in
            for last in ["1.1\r\nHost: h\r\nConnection: close", "1.0"] {
                let socket = try server.dial()
                try socket.send("GET /healthz HTTP/1.1\r\nHost: h\r\n\r\nGET /healthz HTTP/\(last)\r\n\r\n")
                #expect(try HTTPResponse.read(from: socket, method: "GET").header("Connection") == nil)
                #expect(try HTTPResponse.read(from: socket, method: "GET").header("Connection") == "close")
                #expect(try socket.readToEnd() == [])
            }
        }
    }

    /// Pipelined or not.
    @Test("the connection ends with its 100th answer to plain requests")
    func manyRequests() throws {
        try withServer { server in
            let request = "GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n"
            for batch in [1, 150] {
                let socket = try server.dial()
                var sent = 0
                for number in 1...100 {
                    if sent < number {
                        try socket.send(String(repeating: request, count: batch))
                        sent += batch
                    }
                    let answer = try HTTPResponse.read(from: socket, method: "GET")
                    #expect(answer.status == 200 && (answer.header("Connection") == "close") == (number == 100))
                }
                #expect(try socket.readToEnd() == [])
            }
        }
    }

    /// It is answered first.
    @Test("a plain request beyond limits.connectionsPerIP ends its connection")
    func perAddress() throws {
        try withServer(configure: { $0.limits.connectionsPerIP = 2 }) { server in
            let request = "GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n"
            var kept: [RawSocket] = []
            for number in 1...4 {
                let socket = try server.dial()
                try socket.send(request)
                let answer = try HTTPResponse.read(from: socket, method: "GET")
                #expect(answer.status == 200 && (answer.header("Connection") == "close") == (number > 2))
                if number > 2 { #expect(try socket.readToEnd() == []) } else { kept.append(socket) }
            }
            // They are WebSockets' places: there is none for a third connection, and the two may become WebSockets.
            #expect(try WebSocketClient.handshakeRefused(port: server.clientPort, path: "/echo").status == 429)
            for socket in kept {
                try socket.send(server.upgrade("/echo"))
                #expect(try HTTPResponse.read(from: socket, method: "GET").status == 101)
            }
            kept = []
            try server.eventually("the address has room again") { (try? server.connect("/echo")) != nil }
        }
    }

    /// Connections that end by it are counted.
    @Test("limits.plainRequests bounds the plain requests of a connection")
    func limit() throws {
        try withServer(configure: { $0.limits.plainRequests = 3 }) { server in
            let socket = try server.dial()
            for number in 1...3 {
                try socket.send("GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n")
                let answer = try HTTPResponse.read(from: socket, method: "GET")
                #expect((answer.header("Connection") == "close") == (number == 3))
            }
            #expect(try socket.readToEnd() == [])
            #expect(try server.nodeState()["plainLimited"] == 1)
            // A plain request or two before it do not keep a handshake out.
            let other = try server.dial()
            for _ in 1...2 {
                try other.send("GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n")
                #expect(try HTTPResponse.read(from: other, method: "GET").status == 200)
            }
            try other.send(server.upgrade("/echo"))
            #expect(try HTTPResponse.read(from: other, method: "GET").status == 101)
        }
    }

    @Test("a connection of steady plain requests ends after timeouts.plain")
    func time() throws {
        try withServer(configure: {
            $0.timeouts.plain = .milliseconds(500)
            $0.limits.plainRequests = 1_000_000
        }) { server in
            // One that asks all the time is told with its last answer.
            let busy = try server.dial()
            var last: String?
            let deadline = ContinuousClock.now + .seconds(20)
            while last != "close", ContinuousClock.now < deadline {
                do {
                    try busy.send("GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n")
                    last = try HTTPResponse.read(from: busy, method: "GET").header("Connection")
                } catch {
                    // It was ended between two requests.
                    last = "close"
                }
            }
            #expect(last == "close")
            // One that waits for the next question is ended, long before timeouts.handshake.
            let idle = try server.dial()
            let start = ContinuousClock.now
            try idle.send("GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n")
            #expect(try HTTPResponse.read(from: idle, method: "GET").status == 200)
            #expect(try idle.readToEnd() == [])
            #expect(ContinuousClock.now - start < .seconds(8))
        }
    }

    @Test("limits.offers says how many subprotocols a handshake may offer")
    func offers() throws {
        try withServer(configure: { $0.limits.offers = 2 }) { server in
            for (names, status) in [("a,b", 101), ("a,b,", 101), ("a,b,c", 400)] {
                let socket = try server.dial()
                try socket.send(server.upgrade("/echo", headers: [("Sec-WebSocket-Protocol", names)]))
                #expect(try HTTPResponse.read(from: socket, method: "GET").status == status)
            }
            #expect(try server.nodeState()["handshakesRefused"] == 1)
        }
    }

    /// With the body's length.
    @Test("a HEAD that asks for a WebSocket is answered 405 without a body")
    func headUpgrade() throws {
        try withServer { server in
            let socket = try server.dial()
            let request = String(decoding: server.upgrade("/echo"), as: UTF8.self)
            try socket.send("HEAD" + request.dropFirst(3))
            let answer = String(decoding: try socket.readToEnd(), as: UTF8.self)
            #expect(answer.hasPrefix("HTTP/1.1 405 ") && answer.hasSuffix("\r\n\r\n"))
            #expect(answer.contains("Content-Length: ") && !answer.contains("Content-Length: 0\r\n"))
        }
    }

    /// A handshake with a body is 400.
    @Test("a handshake may say that its body has no bytes")
    func emptyBody() throws {
        try withServer { server in
            for (fields, status) in [
                ([("Content-Length", "0")], 101), ([("Content-Length", "1")], 400),
                ([("Transfer-Encoding", "chunked")], 400),
            ] {
                let socket = try server.dial()
                try socket.send(server.upgrade("/echo", headers: fields))
                #expect(try HTTPResponse.read(from: socket, method: "GET").status == status)
            }
        }
    }
}

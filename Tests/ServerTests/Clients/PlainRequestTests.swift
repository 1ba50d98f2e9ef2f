// What the clients' port answers to a request that is not for a WebSocket.

import PerigeeTestKit
import Server
import Testing

@Suite("Plain requests on the clients' port")
struct PlainRequestTests {
    @Test("GET / answers the demo page with the admin API's address, and HEAD / the same without the page")
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
        try withServer(configure: { $0.demo = false }) { server in
            let page = try HTTPClient.once("GET", "/", port: server.clientPort)
            let health = try HTTPClient.once("GET", "/healthz", port: server.clientPort)
            #expect(page.status == 426 && health.text == "ok")
        }
    }

    @Test(
        "any other path or method is answered 426 with what to upgrade to",
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

    @Test("the connection is kept for the next request, until the client says close or speaks HTTP/1.0")
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
}

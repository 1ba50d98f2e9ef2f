// The encoding of responses.

import HTTP1
import Testing

@Suite("Response", .bounded)
struct ResponseTests {
    private func wire(
        _ response: Response, keepAlive: Bool = true, omitBody: Bool = false, minorVersion: Int = 1
    ) -> String {
        var output: [UInt8] = []
        response.encode(into: &output, keepAlive: keepAlive, omitBody: omitBody, minorVersion: minorVersion)
        return String(decoding: output, as: UTF8.self)
    }

    @Test("writes status line, fields, length and body")
    func plain() {
        #expect(
            wire(.text(200, "hello"))
                == "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 5\r\n\r\nhello")
    }

    @Test("appends to the output")
    func appends() {
        var output = Array("x".utf8)
        Response(status: 404).encode(into: &output, keepAlive: true)
        #expect(String(decoding: output, as: UTF8.self) == "xHTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
    }

    @Test("writes Connection: close at the end and keep-alive only for HTTP/1.0")
    func connection() {
        #expect(wire(Response(status: 400), keepAlive: false).contains("\r\nConnection: close\r\n"))
        #expect(!wire(Response(status: 200)).contains("Connection"))
        #expect(wire(Response(status: 200), minorVersion: 0).contains("\r\nConnection: keep-alive\r\n"))
        #expect(wire(Response(status: 200), keepAlive: false, minorVersion: 0).contains("\r\nConnection: close\r\n"))
    }

    @Test("a body in pieces is in chunks, or for HTTP/1.0 up to the end")
    func pieces() {
        func wire(keepAlive: Bool, minorVersion: Int) -> String {
            var output = Array("x".utf8)
            Response(status: 200, fields: [("A", "b")])
                .encodeStreamHead(into: &output, keepAlive: keepAlive, minorVersion: minorVersion)
            for piece in ["hello", "", String(repeating: "y", count: 17)] {
                Response.encode(piece: Array(piece.utf8), into: &output, minorVersion: minorVersion)
            }
            Response.encodeEnd(into: &output, minorVersion: minorVersion)
            return String(decoding: output, as: UTF8.self)
        }
        let long = String(repeating: "y", count: 17)
        let chunks = "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n11\r\n\(long)\r\n0\r\n\r\n"
        #expect(wire(keepAlive: true, minorVersion: 1) == "xHTTP/1.1 200 OK\r\nA: b\r\n\(chunks)")
        #expect(wire(keepAlive: false, minorVersion: 1) == "xHTTP/1.1 200 OK\r\nA: b\r\nConnection: close\r\n\(chunks)")
        for keepAlive in [false, true] {
            #expect(
                wire(keepAlive: keepAlive, minorVersion: 0)
                    == "xHTTP/1.1 200 OK\r\nA: b\r\nConnection: close\r\n\r\nhello\(long)")
        }
    }

    @Test("omits the body of an answer to HEAD, but not its length")
    func head() {
        #expect(
            wire(Response(status: 200, body: [1, 2, 3]), omitBody: true)
                == "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n")
    }

    @Test("writes neither body nor length where none is allowed", arguments: [100, 101, 204, 304])
    func bodiless(_ status: Int) {
        let text = wire(Response(status: status, body: [1, 2, 3]))
        #expect(!text.contains("Content-Length"))
        #expect(text.hasSuffix("\r\n\r\n"))
    }

    @Test("lets only a 101 set its own Connection field")
    func upgrade() {
        let fields = [("Upgrade", "websocket"), ("Connection", "Upgrade")]
        #expect(
            wire(Response(status: 101, fields: fields.map { (name: $0.0, value: $0.1) }))
                == "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
        #expect(!wire(Response(status: 200, fields: [("connection", "Upgrade")])).contains("onnection"))
    }

    @Test("writes framing itself and ignores framing in the fields")
    func framing() {
        let response = Response(
            status: 200, fields: [("content-length", "9"), ("Transfer-encoding", "chunked")], body: [65])
        #expect(wire(response) == "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nA")
    }

    @Test("lets no field value begin another field")
    func splitting() {
        let response = Response(status: 200, fields: [("A", "b\r\nSet-Cookie: x\0\u{7F}\ty"), ("B", "ü")])
        #expect(
            wire(response)
                == "HTTP/1.1 200 OK\r\nA: b  Set-Cookie: x  \ty\r\nB: ü\r\nContent-Length: 0\r\n\r\n")
    }

    @Test("omits a field whose name is no token", arguments: ["", "A B", "A:", "A\r\nB", "Ä"])
    func badName(_ name: String) {
        #expect(wire(Response(status: 200, fields: [(name, "x")])) == "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    }

    @Test("sends 500 for a status outside of 100 to 999", arguments: [-1, 0, 99, 1000, .max])
    func badStatus(_ status: Int) {
        #expect(wire(Response(status: status)).hasPrefix("HTTP/1.1 500 Internal Server Error\r\n"))
    }

    @Test("has a reason phrase and a sentence of its own for every error", arguments: HTTPError.allCases)
    func errors(_ error: HTTPError) {
        #expect(!HTTPStatus.reason(error.status).isEmpty)
        #expect(error.reason.hasSuffix("."))
        #expect(HTTPError.allCases.filter { $0.reason == error.reason }.count == 1)
    }

    @Test("writes an empty phrase for an unknown status")
    func unknownStatus() {
        #expect(wire(Response(status: 299)).hasPrefix("HTTP/1.1 299 \r\n"))
    }

    @Test(
        "writes dates as RFC 9110 does",
        arguments: [
            (0, "Thu, 01 Jan 1970 00:00:00 GMT"), (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"),
            (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"), (951_868_799, "Tue, 29 Feb 2000 23:59:59 GMT"),
            (1_709_164_800, "Thu, 29 Feb 2024 00:00:00 GMT"), (1_735_689_599, "Tue, 31 Dec 2024 23:59:59 GMT"),
            (4_107_542_400, "Mon, 01 Mar 2100 00:00:00 GMT"), (253_402_300_799, "Fri, 31 Dec 9999 23:59:59 GMT"),
            (-1, "Thu, 01 Jan 1970 00:00:00 GMT"), (.max, "Fri, 31 Dec 9999 23:59:59 GMT"),
        ])
    func dates(_ seconds: Int, _ text: String) {
        #expect(HTTPDate.text(secondsSince1970: seconds) == text)
    }
}

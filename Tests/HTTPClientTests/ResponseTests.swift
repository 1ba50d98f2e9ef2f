// The form of a request at the server, and of a response at the caller.

import EventLoop
import Testing

@testable import HTTPClient

@Suite("HTTP client: requests and responses", .bounded)
struct ResponseTests {
    @Test("a response has its status, its fields in lower case and its body")
    func response() throws {
        let stage = try Stage()
        stage.backend.answer = { connection, _ in
            connection.reply("404 Not Found", ["X-Kind:  odd ", "Set-Cookie: a", "Set-Cookie: b"], "nothing")
        }
        let response = try #require(try stage.get()?.response)
        #expect(response.status == 404)
        #expect(response.value(of: "x-kind") == "odd")
        #expect(response.value(of: "set-cookie") == "a, b")
        #expect(response.fields.map(\.name) == ["x-kind", "set-cookie", "set-cookie", "content-length"])
        #expect(response.body == Array("nothing".utf8))
    }

    @Test("nothing is completed inside start, be it over at once")
    func completion() throws {
        let stage = try Stage()
        var answers: [HTTPClientError.Reason?] = []
        stage.client.start(try HTTPClientRequest(.get, "http://169.254.1.1/")) { answers.append($0.reason) }
        stage.client.start(try HTTPClientRequest(.get, stage.backend.url())) { answers.append($0.reason) }
        #expect(answers.isEmpty)
        stage.turn { answers.count == 2 }
        #expect(answers == [.addressRefused, nil])
    }

    @Test("a request has no fields but its own")
    func fields() throws {
        let stage = try Stage()
        var request = try HTTPClientRequest(.post, stage.backend.url("/a%20b?x=1"))
        try request.addQuery("q", "a&b=c d/ü")
        try request.addField("X-Empty", "")
        try request.addField("X-Full", "yes")
        try request.setBody([0, 1, 255])
        #expect(stage.ask(request)?.response?.status == 200)
        let seen = try #require(stage.backend.requests.first)
        #expect(seen.line == "POST /a%20b?x=1&q=a%26b%3dc%20d%2f%c3%bc HTTP/1.1")
        #expect(seen.body == [0, 1, 255])
        #expect(
            seen.fields == [
                "host": "127.0.0.1:\(stage.backend.port)", "user-agent": "Perigee", "accept": "*/*", "x-empty": "",
                "x-full": "yes", "content-length": "3",
            ])
    }

    @Test("every method arrives as itself, with a body if it has one", arguments: HTTPClientRequest.Method.allCases)
    func methods(method: HTTPClientRequest.Method) throws {
        let stage = try Stage()
        stage.backend.answer = { connection, request in
            // The answer to HEAD has the length of the body.
            if method == .head { return connection.send("HTTP/1.1 200 OK\r\nContent-Length: 5000000\r\n\r\n") }
            connection.reply("200 OK", [], "ok")
        }
        var request = try HTTPClientRequest(method, stage.backend.url())
        if method != .head { try request.setBody(Array("body".utf8)) }
        for _ in 1...2 { #expect(stage.ask(request)?.text == (method == .head ? "" : "ok")) }
        #expect(
            stage.backend.requests.map(\.line) == ["\(method.rawValue) / HTTP/1.1", "\(method.rawValue) / HTTP/1.1"])
        #expect(stage.backend.requests[1].body == (method == .head ? [] : Array("body".utf8)))
        #expect(stage.backend.connections.count == 1)
    }

    @Test("a POST without a body says that it has none")
    func emptyPost() throws {
        let stage = try Stage()
        #expect(stage.ask(try HTTPClientRequest(.post, stage.backend.url()))?.response?.status == 200)
        #expect(stage.backend.requests[0].fields["content-length"] == "0")
    }

    @Test("a response that comes a byte at a time is the same response")
    func slowly() throws {
        let stage = try Stage()
        var connection: BackendConnection?
        stage.backend.answer = { with, _ in connection = with }
        var answer: Stage.Answer?
        stage.client.start(try HTTPClientRequest(.get, stage.backend.url())) { answer = $0 }
        stage.turn { connection != nil }
        let text =
            "HTTP/1.1 103 Early Hints\r\nX-Early: 1\r\n\r\nHTTP/1.1 200 OK\r\nX-Late: 2\r\nTransfer-Encoding: chunked\r\n\r\n"
            + "3\r\nabc\r\n4\r\ndefg\r\n0\r\nX-Trailer: 3\r\n\r\n"
        for byte in text.utf8 {
            #expect(answer == nil)
            connection?.send([byte])
            stage.loop.turn(waitingAtMost: 0)
            stage.loop.turn(waitingAtMost: 0)
        }
        stage.turn { answer != nil }
        #expect(answer?.text == "abcdefg")
        #expect(answer?.response?.fields.map(\.name) == ["x-late", "transfer-encoding"])
    }

    @Test("responses are not decompressed, so no small one becomes large")
    func compressed() throws {
        let stage = try Stage()
        let bomb: [UInt8] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3] + Array(repeating: 0, count: 90)
        stage.backend.answer = { connection, _ in
            connection.send("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 100\r\n\r\n")
            connection.send(bomb)
        }
        #expect(try stage.get()?.response?.body == bomb)
        #expect(stage.backend.requests[0].fields["accept-encoding"] == nil)
    }

    @Test(
        "a malformed or forbidden URL is a mistake before anything is sent",
        arguments: [
            ("", "not an absolute URL"), ("example.test/x", "not an absolute URL"), ("http://", "not an absolute URL"),
            ("http://a b/", "not an absolute URL"), ("http://host:99999/", "not an absolute URL"),
            ("http://host/\r\nX: y", "not an absolute URL"), ("http://host/\0", "zero byte"),
            ("file:///etc/passwd", "only http and https"), ("ftp://host/", "only http and https"),
            ("gopher://host/", "only http and https"), ("javascript://host/", "only http and https"),
            ("http://user:secret@host/", "user name"), ("https://user@host/", "user name"),
        ])
    func urls(url: String, sentence: String) {
        let mistake = #expect(throws: HTTPRequestMistake.self) { _ = try HTTPClientRequest(.get, url) }
        #expect(mistake?.description.contains(sentence) == true, "\(url): \(mistake?.description ?? "no mistake")")
    }

    @Test(
        "a header field cannot change the message's framing",
        arguments: [
            ("", "x"), ("a b", "x"), ("a:b", "x"), ("x\r\ny", "z"), ("x", "y\r\nz: 1"), ("x", "y\n"), ("x", "\0"),
            ("Content-Length", "3"), ("transfer-encoding", "chunked"), ("Connection", "close"), ("TE", "gzip"),
        ])
    func unsafeFields(name: String, value: String) throws {
        var request = try HTTPClientRequest(.get, "http://host/")
        #expect(throws: HTTPRequestMistake.self) { try request.addField(name, value) }
    }
}

@Suite("the head of a response", .bounded)
struct ResponseHeadTests {
    @Test("a value that is not UTF-8 keeps its bytes")
    func foreign() {
        func value(_ bytes: [UInt8]) -> HTTPClientResponse.Field? {
            var head = ResponseHead()
            (Array("User: J".utf8) + bytes + Array("rg\r\n".utf8)).withUnsafeBytes { head.add($0) }
            return head.fields.first
        }
        for bytes in [[0xF6], Array("ö".utf8)] {
            #expect(value(bytes)?.value == Array("J".utf8) + bytes + Array("rg".utf8) && value(bytes)?.text == "Jörg")
        }
    }
}

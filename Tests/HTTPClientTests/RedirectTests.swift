// Redirects: not followed unless asked for, and never to where a request may not go.

import EventLoop
import HTTPClient
import Testing

@Suite("HTTP client: redirects", .bounded)
struct RedirectTests {
    /// A stage whose server redirects all requests to `location`, but answers "/end".
    private func stage(to location: String, status: String = "302 Found") throws -> Stage {
        let stage = try Stage()
        stage.backend.answer = { connection, request in
            if request.path == "/end" { return connection.reply("200 OK", [], "end") }
            connection.reply(status, ["Location: \(location)"], "moved")
        }
        return stage
    }

    @Test("a redirect is a response like any other unless it is to be followed")
    func off() throws {
        let stage = try stage(to: "/end")
        let response = try #require(try stage.get()?.response)
        #expect(response.status == 302 && response.value(of: "location") == "/end")
        #expect(stage.backend.requests.count == 1)
    }

    @Test("a redirect is followed when asked for", arguments: ["/end", "end", "?", "//HOST/end", "http://HOST/end"])
    func followed(location: String) throws {
        let stage = try Stage()
        let location = location.replacing("HOST", with: "127.0.0.1:\(stage.backend.port)")
        stage.backend.answer = { connection, request in
            if request.path == "/a/start" { return connection.reply("302 Found", ["Location: \(location)"], "moved") }
            connection.reply("200 OK", [], "end")
        }
        #expect(try stage.get(path: "/a/start", redirects: 1)?.text == "end")
    }

    @Test("follows exactly as many redirects as requested")
    func loop() throws {
        let stage = try stage(to: "/again")
        #expect(try stage.get(redirects: 3)?.reason == .tooManyRedirects)
        #expect(stage.backend.requests.count == 4)
        #expect(stage.client.counts.running == 0)
    }

    @Test("all hops together have one time limit")
    func time() throws {
        let stage = try Stage()
        // Redirects for ever, one hop per turn.
        stage.backend.answer = { connection, _ in connection.reply("302 Found", ["Location: /again"]) }
        var request = try HTTPClientRequest(.get, stage.backend.url())
        request.redirects = 1_000_000
        request.timeout = 100
        #expect(stage.ask(request)?.reason == .timeout)
    }

    @Test(
        "a redirect goes to http and https only",
        arguments: [
            "file:///etc/passwd", "ftp://127.0.0.1/", "gopher://127.0.0.1/x", "dict://127.0.0.1/",
            "http://u:p@127.0.0.1/",
        ]
    )
    func schemes(location: String) throws {
        #expect(try stage(to: location).get(redirects: 5)?.reason == .redirectRefused)
    }

    @Test(
        "a redirect to an address that is refused is refused", arguments: ["169.254.169.254", "[fe80::1]", "0.0.0.0"])
    func addresses(host: String) throws {
        #expect(try stage(to: "http://\(host)/latest/meta-data/").get(redirects: 5)?.reason == .addressRefused)
    }

    @Test(
        "a POST is repeated after 307 and 308 and becomes a GET after others",
        arguments: [
            ("301 Moved Permanently", "GET"), ("302 Found", "GET"), ("303 See Other", "GET"),
            ("307 Temporary Redirect", "POST"), ("308 Permanent Redirect", "POST"),
        ])
    func methods(status: String, method: String) throws {
        let stage = try stage(to: "/end", status: status)
        var request = try HTTPClientRequest(.post, stage.backend.url())
        try request.addField("Content-Type", "text/plain")
        try request.setBody(Array("body".utf8))
        request.redirects = 1
        #expect(stage.ask(request)?.text == "end")
        let seen = stage.backend.requests[1]
        #expect(seen.line == "\(method) /end HTTP/1.1")
        #expect(seen.body == (method == "POST" ? Array("body".utf8) : []))
        #expect(seen.fields["content-type"] == (method == "POST" ? "text/plain" : nil))
    }

    @Test("fields for one origin are not sent to another")
    func credentials() throws {
        let stage = try Stage()
        // The same server under another name is another origin.
        let other = stage.backend.url("/end", host: "localhost")
        stage.backend.answer = { connection, request in
            switch request.path {
            case "/start": connection.reply("302 Found", ["Location: /same"])
            case "/same": connection.reply("302 Found", ["Location: \(other)"])
            default: connection.reply("200 OK", [], "end")
            }
        }
        var request = try HTTPClientRequest(.get, stage.backend.url("/start"))
        for name in ["Authorization", "Cookie", "X-Api-Key", "Accept"] { try request.addField(name, "mine") }
        request.redirects = 2
        #expect(stage.ask(request)?.text == "end")
        let seen = stage.backend.requests.map { request in
            ["authorization", "cookie", "x-api-key", "accept"].map { request.fields[$0] }
        }
        #expect(seen[1] == ["mine", "mine", "mine", "mine"])
        #expect(seen[2] == [nil, nil, nil, "mine"])
    }
}

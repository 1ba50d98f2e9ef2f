// Servers that answer wrongly, too much, or never. Their requests fail with an error, and no other request is affected.

import EventLoop
import HTTPClient
import Testing

@Suite("HTTP client: broken servers", .bounded)
struct BrokenServerTests {
    /// The client goes on.
    @Test("each kind of wrong answer has its reason", arguments: Fault.all)
    func broken(by fault: Fault) throws {
        let stage = try Stage()
        stage.backend.answer = { connection, _ in
            if !fault.bytes.isEmpty { connection.send(fault.bytes) }
            if fault.hangsUp { connection.finish() }
        }
        let reason = try stage.failure {
            // Only the cases that must wait have to wait, and not long.
            $0.timeout = fault.reason == .timeout ? 80 : 10_000
            $0.responseBody = 1000
        }
        #expect(reason == fault.reason)
        stage.backend.answer = { $0.reply("200 OK", [], $1.path) }
        #expect(try stage.get(path: "/still")?.text == "/still")
        stage.client.close()
        #expect(stage.turn { stage.backend.open == 0 })
    }

    @Test("a body of exactly the limit is not too large")
    func exactly() throws {
        let stage = try Stage()
        stage.backend.answer = { connection, _ in connection.reply("200 OK", [], String(repeating: "x", count: 1000)) }
        var request = try HTTPClientRequest(.get, stage.backend.url())
        request.responseBody = 1000
        #expect(stage.ask(request)?.response?.body.count == 1000)
        request.responseBody = 0
        #expect(stage.ask(request)?.reason == .tooLarge)
    }

    @Test("bytes after the announced length are dropped")
    func longerThanSaid() throws {
        let stage = try Stage()
        stage.backend.answer = { connection, _ in
            connection.send(
                "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil")
        }
        #expect(try stage.get()?.text == "ok")
        stage.backend.answer = { connection, _ in connection.reply("200 OK", [], "good") }
        #expect(try stage.get()?.text == "good")
        #expect(stage.backend.connections.count == 2)
    }

    @Test("endless answers are ended", arguments: EndlessAnswer.all)
    func endless(answer endless: EndlessAnswer) throws {
        var settings = HTTPClientSettings()
        settings.responseBody = 64 << 10
        settings.timeout = endless.reason == .timeout ? 300 : 10_000
        let stage = try Stage(settings: settings)
        var sender: BackendConnection?
        stage.backend.answer = { connection, _ in
            connection.send(endless.start)
            sender = connection
        }
        var answer: Stage.Answer?
        stage.client.start(try HTTPClientRequest(.get, stage.backend.url())) { answer = $0 }
        stage.turn { sender != nil }
        stage.turn {
            guard answer == nil, let sender else { return true }
            if sender.queuedBytes < 64 << 10 {
                sender.send(String(repeating: endless.rest, count: 1 + 4096 / endless.rest.utf8.count))
            }
            return false
        }
        #expect(answer?.reason == endless.reason)
        stage.client.close()
        #expect(stage.turn { stage.backend.open == 0 })
    }

    @Test("a missing server fails to connect and a missing name is unknown")
    func absent() throws {
        let stage = try Stage()
        let gone = try Backend(on: EventLoop()).url()
        #expect(try stage.get(gone)?.reason == .cannotConnect)
        #expect(try stage.get("http://nobody.invalid/")?.reason == .unknownHost)
    }
}

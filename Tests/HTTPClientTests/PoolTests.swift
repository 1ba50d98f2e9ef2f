// The number of requests and connections at once, and leaks after they are over.

import EventLoop
import Glibc
import HTTPClient
import Testing

@Suite("HTTP client: connections and requests at once", .bounded)
struct PoolTests {
    /// Descriptors of this process that are connected to the port; other tests have theirs to other ports.
    private func descriptors(to port: UInt16) -> Int {
        (0..<Int32(4096)).count { descriptor in
            var address = sockaddr_in()
            var size = socklen_t(MemoryLayout<sockaddr_in>.size)
            let isConnected = withUnsafeMutablePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getpeername(descriptor, $0, &size) == 0 }
            }
            return isConnected && address.sin_family == AF_INET && UInt16(bigEndian: address.sin_port) == port
        }
    }

    @Test("requests one after the other share a connection")
    func reuse() throws {
        let stage = try Stage()
        for number in 1...20 { #expect(try stage.get(path: "/\(number)")?.text == "/\(number)") }
        #expect(stage.backend.connections.count == 1)
    }

    @Test("a connection that the server has closed meanwhile is replaced")
    func closedWhileIdle() throws {
        let stage = try Stage()
        #expect(try stage.get()?.text == "/")
        stage.backend.connections[0].finish()
        #expect(try stage.get()?.text == "/")
        #expect(stage.backend.connections.count == 2)
    }

    @Test("200 requests at once run ten at a time and in order")
    func concurrency() throws {
        var settings = HTTPClientSettings()
        settings.concurrent = 10
        let stage = try Stage(settings: settings)
        var held: [(BackendConnection, BackendRequest)] = []
        var most = 0
        stage.backend.answer = { held.append(($0, $1)) }
        var answers: [String?] = []
        for number in 0..<200 {
            stage.client.start(try HTTPClientRequest(.get, stage.backend.url("/\(number)"))) { answers.append($0.text) }
        }
        #expect(stage.client.counts.running == 10 && stage.client.counts.waiting == 190)
        stage.turn {
            most = max(most, held.count)
            if held.count == 10 || held.count == 200 - answers.count {
                for (connection, request) in held { connection.reply("200 OK", [], request.path) }
                held = []
            }
            return answers.count == 200
        }
        #expect(most == 10)
        #expect(Set(answers.compactMap(\.self)).count == 200)
        #expect(Set(stage.backend.requests.prefix(10).map(\.path)) == Set((0..<10).map { "/\($0)" }))
        #expect(stage.backend.connections.count == 10)
        #expect(stage.client.counts.running == 0 && stage.client.counts.responses == 200)
    }

    @Test("only a request beyond those that may run and wait is refused")
    func refused() throws {
        var settings = HTTPClientSettings()
        settings.concurrent = 2
        settings.queued = 3
        let stage = try Stage(settings: settings)
        var answers: [HTTPClientError.Reason?] = []
        for _ in 0..<6 {
            stage.client.start(try HTTPClientRequest(.get, stage.backend.url())) { answers.append($0.reason) }
        }
        #expect(answers.isEmpty)
        stage.turn { answers.count == 6 }
        #expect(answers.count { $0 == .tooManyRequests } == 1)
        #expect(answers.count { $0 == nil } == 5)
        #expect(stage.client.counts.refused == 1)
    }

    @Test("time that is spent waiting for a turn counts")
    func timeInQueue() throws {
        var settings = HTTPClientSettings()
        settings.concurrent = 1
        let stage = try Stage(settings: settings)
        stage.backend.answer = { _, _ in }
        stage.client.start(try HTTPClientRequest(.get, stage.backend.url("/first"))) { _ in }
        var second = try HTTPClientRequest(.get, stage.backend.url("/second"))
        second.timeout = 50
        #expect(stage.ask(second)?.reason == .timeout)
        #expect(stage.backend.requests.map(\.path) == ["/first"])
        #expect(stage.client.counts.waiting == 0 && stage.client.counts.running == 1)
        #expect(stage.client.counts.timedOut == 1)
    }

    @Test("a cancelled request is never completed and its connection is closed")
    func cancel() throws {
        let stage = try Stage()
        stage.backend.answer = { connection, _ in
            connection.send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf")
        }
        var answers = 0
        let id = stage.client.start(try HTTPClientRequest(.get, stage.backend.url())) { _ in answers += 1 }
        stage.turn { !stage.backend.requests.isEmpty }
        stage.loop.turn(waitingAtMost: 0)
        #expect(stage.client.cancel(id))
        #expect(!stage.client.cancel(id))
        #expect(stage.turn { stage.backend.open == 0 })
        #expect(answers == 0)
        #expect(stage.client.counts.running == 0 && stage.client.counts.cancelled == 1)
    }

    @Test("a cancelled request makes room for a waiting one")
    func cancelMakesRoom() throws {
        var settings = HTTPClientSettings()
        settings.concurrent = 1
        let stage = try Stage(settings: settings)
        stage.backend.answer = { connection, request in
            if request.path != "/held" { connection.reply("200 OK", [], request.path) }
        }
        var answers: [String?] = []
        let held = stage.client.start(try HTTPClientRequest(.get, stage.backend.url("/held"))) { _ in
            answers.append("held")
        }
        let gone = stage.client.start(try HTTPClientRequest(.get, stage.backend.url("/gone"))) { _ in
            answers.append("gone")
        }
        stage.client.start(try HTTPClientRequest(.get, stage.backend.url("/next"))) { answers.append($0.text) }
        stage.turn { stage.backend.requests.count == 1 }
        #expect(stage.client.cancel(gone))
        #expect(stage.client.cancel(held))
        stage.turn { !answers.isEmpty }
        #expect(answers == ["/next"])
        #expect(stage.backend.requests.map(\.path) == ["/held", "/next"])
    }

    @Test("a completion may start, cancel and close")
    func reentrance() throws {
        let stage = try Stage()
        var answers: [String?] = []
        var other: RequestID?
        let again = try HTTPClientRequest(.get, stage.backend.url("/again"))
        stage.backend.answer = { connection, request in
            if request.path != "/other" { connection.reply("200 OK", [], request.path) }
        }
        other = stage.client.start(try HTTPClientRequest(.get, stage.backend.url("/other"))) { _ in
            answers.append("other")
        }
        stage.client.start(try HTTPClientRequest(.get, stage.backend.url("/first"))) { first in
            answers.append(first.text)
            stage.client.cancel(other!)
            stage.client.start(again) {
                answers.append($0.text)
                stage.client.close()
            }
        }
        stage.turn { answers.count == 2 }
        #expect(answers == ["/first", "/again"])
        #expect(stage.turn { stage.backend.open == 0 })
        #expect(try stage.get(path: "/after")?.text == "/after")
    }

    @Test("repeating a request that fails at once does not keep the loop")
    func livelock() throws {
        var settings = HTTPClientSettings()
        settings.concurrent = 1
        settings.queued = 0
        let stage = try Stage(settings: settings)
        for url in ["http://169.254.1.1/", stage.backend.url()] {
            let request = try HTTPClientRequest(.get, url)
            // The only place is taken, so the second URL is refused each time.
            var rounds = 0
            func again() {
                rounds += 1
                if rounds < 100_000 { stage.client.start(request) { _ in again() } }
            }
            if url == stage.backend.url() { stage.backend.answer = { _, _ in } }
            if url == stage.backend.url() { stage.client.start(request) { _ in } }
            again()
            for _ in 0..<20 { stage.loop.turn(waitingAtMost: 2) }
            #expect(rounds > 3 && rounds < 200)
            stage.client.close()
        }
    }

    @Test("a thousand requests, each on a new connection, leave none behind")
    func descriptorsAfterwards() throws {
        let stage = try Stage()
        stage.backend.answer = { connection, _ in connection.reply("200 OK", ["Connection: close"], "x") }
        for _ in 0..<1_000 { #expect(try stage.get()?.text == "x") }
        #expect(stage.backend.connections.count == 1_000)
        #expect(stage.turn { stage.backend.open == 0 })
        #expect(descriptors(to: stage.backend.port) == 0)
    }

    @Test("a client that ends during requests leaves nothing behind")
    func shutdown() throws {
        let loop = EventLoop()
        let backend = try Backend(on: loop)
        backend.answer = { _, _ in }
        var answers = 0
        do {
            var settings = HTTPClientSettings()
            settings.concurrent = 20
            let client = Client(on: loop, settings: settings)
            for _ in 0..<40 {
                client.start(try HTTPClientRequest(.get, backend.url(host: "localhost"))) { _ in answers += 1 }
            }
            for _ in 0..<1_000 where backend.requests.count < 20 { loop.turn(waitingAtMost: 5) }
            #expect(backend.requests.count == 20)
            #expect(client.counts.running == 20)
        }
        for _ in 0..<1_000 where backend.open > 0 { loop.turn(waitingAtMost: 5) }
        #expect(answers == 0 && backend.open == 0)
        #expect(descriptors(to: backend.port) == 0)
        #expect((0..<loop.slotCount).compactMap { loop.source(at: $0) }.count == 1, "only the backend's listener")
    }

    @Test("a client that ends before its requests begin leaves nothing behind")
    func earlyShutdown() throws {
        let stage = try Stage()
        stage.client.start(try HTTPClientRequest(.get, stage.backend.url())) { _ in }
        stage.client.close()
        for _ in 0..<5 { stage.loop.turn(waitingAtMost: 1) }
        #expect(stage.backend.connections.isEmpty)
    }
}

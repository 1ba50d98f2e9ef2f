// HTTP/2, if a server offers it: many independent requests on one connection.

import EventLoop
import HTTPClient
import Testing

import class PerigeeTestKit.TestAuthority

@Suite("HTTP client: HTTP/2", .bounded)
struct HTTP2Tests {
    private let loop: EventLoop
    private let server: HTTP2Backend
    private let client: Client
    private let authority: TestAuthority

    init() throws {
        authority = try TestAuthority("HTTP/2")
        let certificate = try authority.issue("h2", names: ["localhost"])
        let pair = TLSSettings.Certificate(
            certificate: try TLSFile(certificate.certificate), key: try TLSFile(certificate.key))
        let context = try TLSContext(TLSSettings(certificates: [pair]), ticketKeys: TLSTicketKeys())
        var settings = HTTPClientSettings()
        settings.authorities = authority.path
        loop = EventLoop()
        server = try HTTP2Backend(on: loop, context)
        client = Client(on: loop, settings: settings)
    }

    private func turn(until condition: () -> Bool) {
        for _ in 0..<2_000 where !condition() { loop.turn(waitingAtMost: 5) }
    }

    private func request() throws -> HTTPClientRequest {
        try HTTPClientRequest(.get, "https://localhost:\(server.backend.port)/")
    }

    /// The first request, which makes the connection.
    private func connect() throws {
        var answer: Stage.Answer?
        client.start(try request()) { answer = $0 }
        turn { server.asked.count == 1 }
        server.reply(to: server.asked[0], Array("first".utf8))
        turn { answer != nil }
        #expect(answer?.text == "first")
        #expect(answer?.response?.status == 200)
    }

    @Test("requests at once share a connection and are answered in any order")
    func multiplexing() throws {
        try connect()
        var answers: [Int: String?] = [:]
        for number in 1...10 { client.start(try request()) { answers[number] = $0.text } }
        turn { server.asked.count == 11 }
        for stream in server.asked.dropFirst().reversed() { server.reply(to: stream, Array("\(stream)".utf8)) }
        turn { answers.count == 10 }
        for number in 1...10 { #expect(answers[number] == "\(server.asked[number])") }
        #expect(server.backend.connections.count == 1)
    }

    @Test("a body larger than the first window arrives whole")
    func large() throws {
        try connect()
        var answer: Stage.Answer?
        client.start(try request()) { answer = $0 }
        turn { server.asked.count == 2 }
        let body = (0..<1_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        server.reply(to: server.asked[1], body)
        turn { answer != nil }
        #expect(answer?.response?.body == body)
    }

    @Test("a cancelled or too large request does not harm others on its connection")
    func cancel() throws {
        try connect()
        var answers: [Stage.Answer] = []
        let cancelled = client.start(try request()) { _ in Issue.record("was cancelled") }
        turn { server.asked.count == 2 }
        var small = try request()
        small.responseBody = 10
        client.start(small) { answers.append($0) }
        turn { server.asked.count == 3 }
        client.start(try request()) { answers.append($0) }
        turn { server.asked.count == 4 }
        #expect(client.cancel(cancelled))
        server.reply(to: server.asked[2], Array(repeating: 1, count: 100))
        turn { answers.count == 1 }
        #expect(answers[0].reason == .tooLarge)
        server.reply(to: server.asked[3], Array("fine".utf8))
        turn { answers.count == 2 }
        #expect(answers[1].text == "fine")
        #expect(server.backend.connections.count == 1 && server.backend.open == 1)
        #expect(server.reset.contains(server.asked[1]))
    }
}

import JSON
import PerigeeTestKit
import Settings
import SlowResolver
import Testing

@testable import Server

@Suite("Keys of the scripts' HTTP client", .bounded)
struct HTTPClientKeyTests {
    private let backend = LiveBackend()
    /// Gets what each message names, and answers with the status, or with the reason why there is none.
    private static let script = [
        "main.lua": """
        function onMessage(conn, message)
          local response, why, detail = http.get(message)
          conn:send(response and tostring(response.status) or why .. ": " .. tostring(detail))
        end
        """
    ]

    /// The answer to a request when the key has this value, and when it has its default.
    private func answers(_ key: String, _ value: String, to url: String) throws -> (unlike: String, usual: String) {
        var answers: [String] = []
        for keys in [[key: value], [:]] {
            try withServer(keys: keys, scripts: Self.script) { answers.append(try $0.answer(to: url)) }
        }
        return (answers[0], answers[1])
    }

    @Test("httpClient.concurrent requests run at once and one more waits")
    func concurrent() throws {
        try withServer(keys: ["httpClient.concurrent": "2"], scripts: Self.script) { server in
            let clients = try (0..<3).map { _ in try server.connect() }
            for client in clients { try client.send(backend.url("/held")) }
            #expect(backend.comes { $0.held == 2 })
            for client in clients { #expect(try client.receiveAll() == []) }
            // Time is the subject: a third request would come in this time.
            #expect(!backend.comes(to: { $0.held == 3 }, within: .milliseconds(200)))
            backend.release()
            for client in clients { #expect(try client.receiveText() == "200") }
            #expect(backend.now.lines.count == 3)
        }
    }

    @Test("httpClient.queued requests wait, one more is refused")
    func queued() throws {
        let keys = ["httpClient.concurrent": "1", "httpClient.queued": "0"]
        try withServer(keys: keys, scripts: Self.script) { server in
            let first = try server.connect()
            try first.send(backend.url("/held"))
            #expect(backend.comes { $0.held == 1 })
            #expect(try server.answer(to: backend.url("/second")).hasPrefix("too many requests: "))
            backend.release()
            #expect(try first.receiveText() == "200")
        }
    }

    @Test("httpClient.connectTimeout ends the wait for a missing TLS handshake")
    func connectTimeout() throws {
        let silent = try OwnListener()
        let keys = ["httpClient.connectTimeout": "50ms", "httpClient.timeout": "1h"]
        try withServer(keys: keys, scripts: Self.script) { server in
            // The default is five seconds.
            let answer = try server.answer(to: "https://127.0.0.1:\(silent.port)/", timeout: .seconds(4))
            #expect(answer.hasPrefix("timeout: "))
        }
    }

    @Test("httpClient.timeout is the time for a request that has none of its own")
    func timeout() throws {
        try withServer(keys: ["httpClient.timeout": "50ms"], scripts: Self.script) { server in
            let answer = try server.answer(to: backend.url("/held"))
            #expect(answer == "timeout: no response within 50 ms")
        }
    }

    /// Others wait when these hang.
    @Test("httpClient.lookups bounds simultaneous lookups")
    func lookups() throws {
        let keys = [
            "httpClient.lookups": "2", "httpClient.timeout": "1h", "httpClient.connectTimeout": "1h",
        ]
        try withServer(keys: keys, scripts: Self.script) { server in
            let clients = try (0..<5).map { _ in try server.connect() }
            for (number, client) in clients.enumerated() { try client.send("http://n\(number).stays.test/") }
            for left in [5, 3, 1] {
                let most = min(left, 2)
                try server.eventually("\(most) names are looked up for \(left) requests") {
                    let state = try server.nodeState()
                    return state["httpRunning"]?.int == left && state["httpLookups"]?.int == most
                        && resolver_staying() == most
                }
                resolver_let_go(Int32(most))
            }
            for client in clients { #expect(try !client.receiveText().hasPrefix("200")) }
            #expect(resolver_staying() == 0)
        }
    }

    @Test("httpClient.maxBody is the largest body")
    func maxBody() throws {
        let answers = try answers("httpClient.maxBody", "4", to: backend.url("/12345"))
        #expect(answers.unlike.hasPrefix("too large: ") && answers.usual == "200")
    }

    @Test("httpClient.maxHead is the largest head")
    func maxHead() throws {
        let url = backend.url("/" + String(repeating: "x", count: 1500))
        let answers = try answers("httpClient.maxHead", "1 KiB", to: url)
        #expect(answers.unlike.hasPrefix("too large: ") && answers.usual == "200")
    }

    @Test("httpClient.idleConnections are kept, the others close")
    func idleConnections() throws {
        try withServer(keys: ["httpClient.idleConnections": "1"], scripts: Self.script) { server in
            let clients = try (0..<2).map { _ in try server.connect() }
            for client in clients { try client.send(backend.url("/held")) }
            #expect(backend.comes { $0.held == 2 && $0.open == 2 })
            backend.release()
            for client in clients { #expect(try client.receiveText() == "200") }
            #expect(backend.comes { $0.open == 1 })
        }
    }

    @Test("httpClient.caFile names the authorities that servers are certified by")
    func caFile() throws {
        for (keys, expected) in [(["httpClient.caFile": TestAuthority.shared.path], "200"), ([:], "tls: ")] {
            try withServer(
                keys: keys, scripts: Self.script, configure: { $0.tls.certificates = [TestAuthority.certificate.paths] }
            ) { server in
                let answer = try server.answer(to: "https://127.0.0.1:\(server.clientPort)/healthz")
                #expect(answer.hasPrefix(expected), "\(answer)")
            }
        }
    }

    @Test("httpClient.allow opens a network that is refused otherwise")
    func allow() throws {
        // Linux takes the address of no host for this one.
        let answers = try answers("httpClient.allow", "0.0.0.0/8", to: "http://0.0.0.0:\(backend.port)/")
        #expect(answers.unlike == "200" && answers.usual.hasPrefix("address refused: "))
    }

    @Test("httpClient.deny closes a network that is open otherwise")
    func deny() throws {
        let answers = try answers("httpClient.deny", "127.0.0.0/8", to: backend.url("/"))
        #expect(answers.unlike.hasPrefix("address refused: ") && answers.usual == "200")
    }
}

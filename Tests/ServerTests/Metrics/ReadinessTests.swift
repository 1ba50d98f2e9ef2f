import PerigeeTestKit
import Settings
import Testing

@testable import Gateway
@testable import Server

@Suite("Readiness", .bounded)
struct ReadinessTests {
    @Test("a server with scripts and without trouble is ready, without a key")
    func ready() throws {
        let keys = [AdminKey(name: "a", key: "0123456789abcdef", scopes: [.read])]
        try withServer(configure: { $0.admin.keys = keys }) { server in
            let answer = try server.ask("GET", "/readyz")
            #expect(answer.status == 200 && answer.text == #"{"status":"ready","reasons":[],"version":1}"#)
        }
    }

    @Test("a server that drains is 503 and says so")
    func draining() throws {
        let script = "function onOpen(conn) conn:send(conn.id) end"
        try withServer(scripts: ["main.lua": script], configure: { $0.workers = 1 }) { server in
            // Ten end at once, and ten more every hundred milliseconds.
            let clients = try (0..<150).map { _ in try Client(server) }
            #expect(try server.ask("POST", "/v1/drain?over=1h").status == 202)
            let answer = try server.ask("GET", "/readyz")
            #expect(answer.status == 503)
            #expect(answer.text == #"{"status":"draining","reasons":["the server drains"],"version":1}"#)
            for client in clients { _ = try client.socket.expectClose() }
        }
    }

    @Test("a kill is forgotten a minute later")
    func minute() {
        var count = RecentCount()
        for second in 0..<10 { count.note(at: 5_000 + UInt64(second) * 1_000) }
        #expect(count.count(at: 14_500) == 10)
        #expect(count.count(at: 64_900) == 10)
        #expect(count.count(at: 65_000) == 9)
        #expect(count.count(at: 73_999) == 1)
        #expect(count.count(at: 74_000) == 0)
        count.note(at: 1_000_000)
        #expect(count.count(at: 1_059_000) == 1)
        #expect(count.count(at: 1_060_000) == 0)
    }
}

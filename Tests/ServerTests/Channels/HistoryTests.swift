// What channels keep, through the admin API.

import JSON
import PerigeeTestKit
import Testing

@Suite("Admin: history of channels", .bounded)
struct HistoryTests {
    private static let path = "/v1/channels/news/messages"

    private func withHistory(keys: [String: String] = [:], _ body: (TestServer) throws -> Void) throws {
        let channels = "{news: {history: {size: 3, age: 1h}}, short: {history: {size: 3}, positionAge: 10ms}}"
        let all = keys.merging(["channels": channels]) { $1 }
        try withServer(keys: all, scripts: ["main.lua": "function onOpen(conn) conn:subscribe('news') end"], body)
    }

    private func texts(_ server: TestServer, _ query: String = "") throws -> [String] {
        let answer = try server.ask("GET", Self.path + query)
        #expect(answer.status == 200)
        return (try answer.json()["items"]?.array ?? []).compactMap { $0["data"]?.string }
    }

    @Test("keeps the newest messages with positions, also without a subscriber")
    func keeps() throws {
        try withHistory { server in
            var epochs: Set<String> = []
            for number in 1...5 {
                let answer = try server.ask("POST", Self.path, body: "m\(number)").json()
                #expect(answer["offset"]?.int == number)
                if let epoch = answer["epoch"]?.string { epochs.insert(epoch) }
            }
            let passing = try server.ask("POST", Self.path + "?history=false", body: "passing").json()
            #expect(passing["offset"] == nil && passing["epoch"] == nil)
            #expect(try texts(server) == ["m3", "m4", "m5"])
            #expect(try texts(server, "?reverse=true&limit=2") == ["m5", "m4"])
            #expect(try texts(server, "?since=4&epoch=\(epochs.first ?? "")") == ["m5"])
            let channel = try server.ask("GET", "/v1/channels/news").json()
            #expect(channel["offset"] == 5 && channel["epoch"]?.string == epochs.first && epochs.count == 1)
            #expect(channel["subscribers"] == 0 && channel["history"]?["messages"] == 3)
        }
    }

    @Test("says why a page does not begin where it was asked to")
    func why() throws {
        try withHistory { server in
            for number in 1...5 { _ = try server.ask("POST", Self.path, body: "m\(number)") }
            let trimmed = try server.ask("GET", Self.path + "?since=1").json()
            #expect(trimmed["why"] == "trimmed" && trimmed["items"]?.array?.count == 3)
            #expect(try server.ask("GET", Self.path + "?since=9").json()["why"] == "ahead")
            #expect(try server.ask("GET", Self.path + "?since=4&epoch=0000000000001").json()["why"] == "epoch")
            #expect(try server.ask("GET", Self.path + "?since=x").status == 400)
            #expect(try server.ask("GET", Self.path + "?epoch=0000000000001").status == 400)
        }
    }

    @Test("forgets the messages and goes on counting")
    func clear() throws {
        try withHistory { server in
            for number in 1...2 { _ = try server.ask("POST", Self.path, body: "m\(number)") }
            #expect(try server.ask("DELETE", Self.path).json()["cleared"] == 2)
            #expect(try texts(server) == [])
            #expect(try server.ask("POST", Self.path, body: "m3").json()["offset"] == 3)
        }
    }

    @Test("begins a new epoch when a position has grown too old")
    func positionAge() throws {
        try withHistory { server in
            let path = "/v1/channels/short/messages"
            #expect(try server.ask("POST", path, body: "x").json()["offset"] == 1)
            try server.eventually("the position is forgotten") {
                try server.ask("GET", "/v1/channels/short").json()["offset"] == nil
            }
            #expect(try server.ask("POST", path, body: "x").json()["offset"] == 1)
        }
    }

    @Test("keeps no more than its memory")
    func memory() throws {
        try withHistory(keys: ["history.memory": "1 MiB"]) { server in
            let body = String(repeating: "x", count: 500_000)
            for _ in 1...3 { #expect(try server.ask("POST", Self.path, body: body).status == 200) }
            let node = try server.nodeState()
            #expect((node["historyBytes"]?.int ?? .max) <= 1 << 20 && (node["historyEvicted"]?.int ?? 0) > 0)
        }
    }
}

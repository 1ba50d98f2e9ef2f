// A hundred reloads under a crowd that talks all the while: nobody is closed, nothing is lost, doubled or answered half by one
// version and half by another, and the counts in the workers' states are migrated with nothing missing.
//
// `make reload-crowd` does it with 10,000 clients against the release build, and says how long workers stood still.

import Glibc
import JSON
import PerigeeTestKit
import Testing

@testable import Gateway
@testable import Server

@Suite("Reload under a crowd", .plainOnly("TLS changes nothing about a reload"), .bounded(minutes: 30))
struct ReloadCrowdTests {
    private static let rounds = 100

    private static let crowd = getenv("RELOAD_CROWD").flatMap { Int(String(cString: $0)) } ?? 1_000

    /// The version says its round in two files; every tenth gives the state another form.
    private static func main(_ round: Int) -> String {
        """
        local words = require "words"
        local Counter = server.class("Counter")
        Counter.__index = Counter
        function Counter:count() self.n = self.n + 1 return "\(round)" end
        local total = server.state("total", \(round / 10 + 1), function() return setmetatable({n = 0}, Counter) end,
            function(old, from) return setmetatable({n = old.n, id = old.id, moved = from}, Counter) end)
        function onOpen(conn)
            conn.data.count = 0
            conn:subscribe("news")
        end
        function onMessage(conn, message)
            if message == "total" then return conn:send(total.id .. " " .. total.n) end
            total.id = total.id or conn.id
            conn.data.count = conn.data.count + 1
            conn:send(table.concat({"\(round)", words.word, total:count(), server.version, conn.data.count, message}, " "))
        end
        """
    }

    private static func words(_ round: Int) -> String { "return {word = '\(round)'}" }

    @Test("100 reloads and failing ones run under a sending and receiving crowd")
    func crowd() throws {
        Server.raiseDescriptorLimit()
        let server = try PerigeeProcess(
            scripts: ["main.lua": Self.main(0), "lib/words.lua": Self.words(0)],
            environment: ["PERIGEE_SCRIPTS_WATCH": "false", "PERIGEE_KEEPALIVE_PING_INTERVAL": "3600s"])
        let members = try (0..<Self.crowd).map { _ in try CrowdMember(port: server.clientPort) }
        let reloading = try RawSocket.connect(port: server.adminPort, timeout: .seconds(60), security: .plain)
        for round in 1...Self.rounds {
            if round % 7 == 0 { try refuse(server, on: reloading) }
            try server.folder.write(Self.words(round), to: "lib/words.lua")
            try server.folder.write(Self.main(round), to: "main.lua")
            try reloading.send(Self.request("/v1/scripts/reload"))
            for (index, member) in members.enumerated() {
                try member.say("m\(round)")
                if index == members.count / 2 { try push(round, server) }
            }
            let answer = try HTTPResponse.read(from: reloading, method: "POST")
            try #require(try answer.json()["version"]?.int == round + 1, "\(answer.text)")
            for member in members { try expectRound(round, of: member) }
        }
        try expectEnd(server, members)
    }

    private static func request(_ path: String, body: String = "") -> String {
        "POST \(path) HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
    }

    /// A reload that only fails when it has been prepared, on the workers' own threads.
    private func refuse(_ server: PerigeeProcess, on socket: RawSocket) throws {
        let broken = "local s = server.state('total', 99, function() return {} end)\n"
        try server.folder.write(broken, to: "main.lua")
        try socket.send(Self.request("/v1/scripts/reload"))
        try #require(try HTTPResponse.read(from: socket, method: "POST").status == 422)
    }

    private func push(_ round: Int, _ server: PerigeeProcess) throws {
        let client = HTTPClient(port: server.adminPort, timeout: .seconds(60), security: .plain)
        let answer = try client.request("POST", "/v1/channels/news/messages", body: "push \(round)").json()
        try #require(answer["queued"]?.int == Self.crowd, "\(answer)")
    }

    /// One answer and one push, in either order: the answer of one version, the old one or the new one.
    private func expectRound(_ round: Int, of member: CrowdMember) throws {
        var isPushed = false
        var isAnswered = false
        for _ in 0..<2 {
            let text = try member.hear()
            if text == "push \(round)" {
                try #require(!isPushed)
                isPushed = true
                continue
            }
            let words = text.split(separator: " ")
            try #require(
                !isAnswered && words.count == 6 && words[4] == "\(round)" && words[5] == "m\(round)", "\(text)")
            let spoken = try #require(Int(words[0]))
            try #require((round - 1...round).contains(spoken), "\(text)")
            try #require(words[1] == words[0] && words[2] == words[0] && words[3] == "\(spoken + 1)", "\(text)")
            isAnswered = true
        }
    }

    private func expectEnd(_ server: PerigeeProcess, _ members: [CrowdMember]) throws {
        let talkative = members.count { !$0.isQuiet }
        #expect(talkative == 0)
        // Each worker has counted its own; members of each tell.
        var totals: [Substring: Int] = [:]
        for member in members {
            try member.say("total")
            let words = try member.hear().split(separator: " ")
            totals[words[0]] = Int(words[1])
        }
        let total = totals.values.reduce(0, +)
        #expect(total == Self.crowd * Self.rounds, "\(totals)")
        let node = try HTTPClient(port: server.adminPort, security: .plain).request("GET", "/v1/node").json()
        #expect(node["connections"]?.int == Self.crowd && node["opened"]?.int == Self.crowd)
        #expect(node["scriptErrors"] == 0 && node["scriptVersion"]?.int == Self.rounds + 1)
        guard getenv("RELOAD_CROWD") != nil else { return }
        for name in ["reloadPause", "migrationPause"] {
            print("\(name) with \(Self.crowd) connections: \(node[name] ?? .null)")
        }
    }
}

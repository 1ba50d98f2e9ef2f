// Back to an earlier version: its sources under a new number, on all workers, with everything that survives a reload.

import JSON
import PerigeeTestKit
import Testing

@testable import Gateway
@testable import Scripting
@testable import Server

@Suite("Rollback", .bounded)
struct RollbackTests {
    private func rollBack(_ server: TestServer, _ query: String = "") throws -> HTTPResponse {
        try server.ask("POST", "/v1/scripts/rollback\(query)")
    }

    /// On all workers. Connections and their data go on.
    @Test("a rollback makes the previous version live under a new number")
    func goesBack() throws {
        try withServer(scripts: ["main.lua": ReloadScripts.saying("one")]) { server in
            let clients = try server.connectOnEachWorker()
            try server.write(ReloadScripts.saying("two"), to: "main.lua")
            _ = try server.reload()
            let answer = try rollBack(server)
            #expect(answer.status == 200)
            #expect(try answer.json() == ["version": 3, "changed": ["main.lua"], "rolledBackTo": 1])
            for client in clients {
                try client.send("a")
                #expect(try client.receiveText() == "one 1 v3 a")
            }
            let line = try server.log.wait(for: "scripts rolled back")
            #expect(line == "notice scripts rolled back cause=admin API changed=main.lua rolledBackTo=1 version=3")
            // Once more, and the version that was left is back.
            #expect(try rollBack(server).json()["rolledBackTo"] == 2)
            try clients[0].send("b")
            #expect(try clients[0].receiveText() == "two 2 v4 b")
        }
    }

    /// No other version, and without a previous one there is no rollback.
    @Test("a rollback may name any of the last five versions")
    func named() throws {
        try withServer(scripts: ["main.lua": ReloadScripts.saying("1")]) { server in
            #expect(try rollBack(server).errorCode == "no_previous_version")
            for version in 2...7 {
                try server.write(ReloadScripts.saying("\(version)"), to: "main.lua")
                #expect(try server.reload().json()["version"]?.int == version)
            }
            let listed = try server.ask("GET", "/v1/scripts").json()["previous"]?.array ?? []
            #expect(listed.compactMap { $0["version"]?.int } == [6, 5, 4, 3, 2])
            #expect(Set(listed.compactMap { $0["hash"]?.string }).count == 5)
            #expect(listed.allSatisfy { ($0["loadedAt"]?.int ?? 0) > 1_700_000_000 })
            let unknown = try rollBack(server, "?version=1")
            #expect(unknown.status == 404 && unknown.errorCode == "script_version_unknown")
            #expect(unknown.text.contains("version 1 is not kept; these are: 2, 3, 4, 5, 6"))
            #expect(try rollBack(server, "?version=x").errorCode == "parameter_invalid")
            #expect(try rollBack(server, "?version=2").json()["version"] == 8)
            let client = try server.connect()
            try client.send("a")
            #expect(try client.receiveText() == "2 1 v8 a")
        }
    }

    @Test("a failed reload uses up no number and is no target of a rollback")
    func failures() throws {
        try withServer(scripts: ["main.lua": ReloadScripts.saying("1")]) { server in
            for _ in 0..<3 {
                try server.write("oops", to: "main.lua")
                #expect(try server.reload().status == 422)
            }
            try server.write(ReloadScripts.saying("2"), to: "main.lua")
            #expect(try server.reload().json()["version"] == 2)
            #expect(try rollBack(server).json() == ["version": 3, "changed": ["main.lua"], "rolledBackTo": 1])
        }
    }

    /// Nothing changes.
    @Test("a version that cannot load the present states is refused")
    func refused() throws {
        func counting(_ version: Int) -> String {
            """
            local s = server.state("count", \(version), function() return {n = 0} end, function(old) return {n = old.n + 100} end)
            function onMessage(conn) s.n = s.n + 1 conn:send(s.n .. " v" .. server.version) end
            """
        }
        try withServer(scripts: ["main.lua": counting(1)]) { server in
            try server.write(counting(2), to: "main.lua")
            #expect(try server.reload().status == 200)
            let refused = try rollBack(server)
            #expect(refused.status == 422)
            let why = "'count' is at version 2 and this script declares version 1; to go back, load"
            #expect(refused.text.contains(why))
            let client = try server.connect()
            try client.send("a")
            #expect(try client.receiveText() == "101 v2")
        }
    }

    /// A version with the sources of the next one is not kept.
    @Test("the history keeps five versions with distinct sources")
    func history() throws {
        func bundle(_ version: UInt64, _ text: String) throws -> ScriptBundle {
            try ScriptBundle(version: version, scripts: ["main": text])
        }
        var history = BundleHistory(live: try bundle(1, ""), loadedAt: 1)
        #expect(history.bundle(of: nil) == nil)
        history.push(try bundle(2, ""), loadedAt: 2)
        #expect(history.previous.isEmpty)
        for version in 3...9 { history.push(try bundle(UInt64(version), "-- \(version)"), loadedAt: version) }
        #expect(history.previous.map(\.bundle.version) == [4, 5, 6, 7, 8])
        #expect(history.live.bundle.version == 9 && history.live.loadedAt == 9)
        #expect(history.bundle(of: nil)?.version == 8 && history.bundle(of: 4)?.version == 4)
        #expect(history.bundle(of: 3) == nil && history.bundle(of: 9) == nil)
    }
}

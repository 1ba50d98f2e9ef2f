// A reload while a worker is busy: it ends in time, says who is late and why, and the next one works.

import JSON
import PerigeeTestKit
import Settings
import Testing

@testable import Admin
@testable import Server

@Suite("Reload: a late worker", .bounded)
struct LateWorkerTests {
    /// "block NAME" keeps its worker busy until kv has NAME, which "free NAME" sets.
    private static func script(_ word: String) -> String {
        """
        log.info("top level of WORD")
        function onMessage(conn, message)
            local verb, name = message:match("(%a+) (%a+)")
            if verb == "block" then
                log.info("blocked by " .. name)
                while not kv.get(name) do end
            elseif verb == "free" then
                kv.set(name, true)
            end
            conn:send("WORD " .. server.version)
        end
        """.replacing("WORD", with: word)
    }

    private func expectNew(_ version: Int, from clients: [WebSocketClient]) throws {
        for client in clients {
            try client.send("hello")
            #expect(try client.receiveText() == "new \(version)")
        }
    }

    /// The next reload works.
    @Test("a worker that loads late ends the reload with its number and handler")
    func preparing() throws {
        try withServer(scripts: ["main.lua": Self.script("old")]) {
            $0.scripts.reloadTimeout = .milliseconds(100)
            $0.scripts.loadBudget = .milliseconds(900)
        } _: { server in
            let clients = try server.connectOnEachWorker()
            try clients[1].send("block a")
            try server.log.wait(for: "info blocked by a", timeout: .seconds(20))
            try server.write(Self.script("new"), to: "main.lua")
            for _ in 0..<2 {
                let refused = try server.reload()
                #expect(refused.status == 503 && refused.errorCode == "worker_late")
                let message = "worker 1 did not load the scripts within 1000 ms; it began onMessage of main.lua"
                #expect(refused.text.contains(message), "\(refused.text)")
                try server.log.wait(for: "warning scripts not reloaded: " + message)
            }
            try clients[0].send("free a")
            for client in clients { #expect(try client.receiveText() == "old 1") }
            // The votes on the reloads that were given up are none on this one.
            #expect(try server.reload().json() == ["version": 2, "changed": ["main.lua"]])
            try expectNew(2, from: clients)
        }
    }

    /// The others have the version, and it gets it later.
    @Test("a worker that votes and swaps late is named")
    func committing() throws {
        try withServer(scripts: ["main.lua": Self.script("old")]) {
            $0.scripts.reloadTimeout = .seconds(2)
            $0.scripts.loadBudget = .seconds(60)
            $0.workers = 3
        } _: { server in
            let clients = try server.connectOnEachWorker()
            try clients[1].send("block a")
            try server.log.wait(for: "info blocked by a", timeout: .seconds(20))
            try server.write(Self.script("new"), to: "main.lua")
            let reload = try RawSocket.connect(port: server.adminPort, timeout: .seconds(30))
            try reload.send("POST /v1/scripts/reload HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\n\r\n")
            // Worker 0 has voted, and is busy by the time when worker 1 does.
            try server.log.wait(for: "info top level of new script=main.lua:1 worker=0", timeout: .seconds(20))
            try clients[0].send("block b")
            try server.log.wait(for: "info blocked by b", timeout: .seconds(20))
            try clients[2].send("free a")
            let answer = try HTTPResponse.read(from: reload, method: "POST")
            #expect(answer.status == 200)
            let late = "worker 0 did not swap its scripts within 2000 ms, and will as soon as it can"
            #expect(
                try answer.json() == [
                    "version": 2, "changed": ["main.lua"], "late": [.string("\(late); it began onMessage of main.lua")],
                ])
            try server.log.wait(for: "warning " + late)
            #expect(ReloadAnswer(status: 200, body: answer.text).text.contains("version 2 is live; changed: main.lua"))
            #expect(ReloadAnswer(status: 200, body: answer.text).text.contains(late))
            for client in clients[1...] { #expect(try client.receiveText() == "old 1") }
            try expectNew(2, from: Array(clients[1...]))
            try clients[1].send("free b")
            #expect(try clients[1].receiveText() == "new 2")
            #expect(try clients[0].receiveText() == "old 1")
            try server.log.wait(for: "notice a late worker has swapped its scripts worker=0", timeout: .seconds(20))
            try expectNew(2, from: clients)
            #expect(try server.reload().json() == ["version": 3, "changed": []])
            try expectNew(3, from: clients)
        }
    }
}

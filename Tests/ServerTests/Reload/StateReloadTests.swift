// server.state and server.class in the running server: all workers change the form of their states, or none does.

import JSON
import PerigeeTestKit
import Settings
import Testing

@testable import Gateway
@testable import Server

@Suite("State across reloads", .bounded)
struct StateReloadTests {
    /// Counts messages in each worker; `migrate` may look at `old`.
    private static func counting(_ word: String, version: Int, migrate: String = "return old") -> String {
        """
        local Room = server.class("Room")
        Room.__index = Room
        function Room:word() return "\(word)" end
        local kept = server.state("kept", \(version), function() return {n = 0, room = setmetatable({}, Room)} end,
            function(old) \(migrate) end)
        function onMessage(conn, message)
            kept.n = kept.n + 1
            if message == "poison" then kept.poison = true end
            if message == "cure" then kept.poison = nil end
            conn:send(kept.room:word() .. " " .. kept.n .. " v" .. server.version)
        end
        """
    }

    private func expect(_ texts: [String], from clients: [WebSocketClient], to message: String = "a") throws {
        for (client, text) in zip(clients, texts) {
            try client.send(message)
            #expect(try client.receiveText(timeout: .seconds(60)) == text)
        }
    }

    @Test("each worker keeps its own state and migrates it with the others")
    func migrates() throws {
        try withServer(scripts: ["main.lua": Self.counting("one", version: 1)]) { server in
            let clients = try server.connectOnEachWorker()
            try expect(["one 1 v1", "one 1 v1"], from: clients)
            try expect(["one 2 v1"], from: [clients[0]])
            try server.write(Self.counting("two", version: 1), to: "main.lua")
            #expect(try server.reload().status == 200)
            try expect(["two 3 v2", "two 2 v2"], from: clients)
            try server.write(
                Self.counting("three", version: 2, migrate: "old.n = old.n * 10 return old"), to: "main.lua")
            #expect(try server.reload().status == 200)
            try expect(["three 31 v3", "three 21 v3"], from: clients)
        }
    }

    /// No worker has the new code, and no state has changed.
    @Test("a failed migration of one worker leaves all workers as they were")
    func allOrNone() throws {
        try withServer(scripts: ["main.lua": Self.counting("one", version: 1)]) { server in
            let clients = try server.connectOnEachWorker()
            try expect(["one 1 v1"], from: [clients[1]], to: "poison")
            let migrate = "old.n = old.n + 100\nif old.poison then error('poisoned') end return old"
            try server.write(Self.counting("two", version: 2, migrate: migrate), to: "main.lua")
            for _ in 0..<3 {
                let refused = try server.reload()
                #expect(refused.status == 422)
                let error = try refused.json()["error"]?["errors"]?[0]
                #expect(error?["file"] == "main.lua" && error?["line"] == 6 && error?["message"] == "poisoned")
            }
            try expect(["one 1 v1", "one 2 v1"], from: clients)
            try expect(["one 3 v1"], from: [clients[1]], to: "cure")
            #expect(try server.reload().json()["version"] == 2)
            try expect(["two 102 v2", "two 104 v2"], from: clients)
        }
    }

    @Test("a slow migration on one worker is given up and the others go on")
    func slow() throws {
        try withServer(scripts: ["main.lua": Self.counting("one", version: 1)]) {
            $0.scripts.loadBudget = .milliseconds(2_500)
        } _: { server in
            let clients = try server.connectOnEachWorker()
            try expect(["one 1 v1"], from: [clients[1]], to: "poison")
            let migrate = "while old.poison do end return old"
            try server.write(Self.counting("two", version: 2, migrate: migrate), to: "main.lua")
            let refused = try server.reload()
            #expect(refused.status == 503 && refused.errorCode == "worker_late")
            #expect(
                refused.text.contains("worker 1 did not migrate its states within 2000 ms; it began migrating states"))
            try expect(["one 1 v1", "one 2 v1"], from: clients)
            try expect(["one 3 v1"], from: [clients[1]], to: "cure")
            #expect(try server.reload().json()["version"] == 2)
            try expect(["two 2 v2", "two 4 v2"], from: clients)
        }
    }

    @Test("a server that stops amid a migration does not wait for its vote")
    func stops() throws {
        try withServer(scripts: ["main.lua": Self.counting("one", version: 1)]) {
            $0.scripts.loadBudget = .seconds(1)
        } _: { server in
            let clients = try server.connectOnEachWorker()
            try expect(["one 1 v1"], from: [clients[1]], to: "poison")
            let migrate = "if old.poison then log.info('migrating') while true do end end return old"
            try server.write(Self.counting("two", version: 2, migrate: migrate), to: "main.lua")
            let socket = try RawSocket.connect(port: server.adminPort, timeout: .seconds(20))
            try socket.send("POST /v1/scripts/reload HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\n\r\n")
            try server.log.wait(for: "migrating", timeout: .seconds(20))
            // The worker that has voted stands still now.
            server.server.stop()
            #expect(server.server.wait() == .complete)
        }
    }

    @Test("the pauses of a reload are counted slice by slice")
    func pauses() throws {
        try withServer(scripts: ["main.lua": Self.counting("one", version: 1)]) { server in
            #expect(try server.nodeState()["reloadPause"]?["count"] == 0)
            _ = try server.reload()
            let pause = try #require(try server.nodeState()["reloadPause"])
            #expect(pause["count"] == 4, "prepare and commit on two workers")
            #expect((pause["maxMicroseconds"]?.int ?? 0) > 0)
            #expect((pause["p99Microseconds"]?.int ?? 0) <= (pause["maxMicroseconds"]?.int ?? 0))
            #expect(try server.nodeState()["migrationPause"]?["count"] == 0)
            try server.write(Self.counting("two", version: 2), to: "main.lua")
            #expect(try server.reload().status == 200)
            #expect(try server.nodeState()["reloadPause"]?["count"] == 6, "a migration commits without a further stop")
            #expect(try server.nodeState()["migrationPause"]?["count"] == 2)
        }
    }

    @Test("a record of pauses keeps the longest and the quantiles of the last 512")
    func record() {
        var record = PauseRecord()
        #expect(record.quantile(0.99) == 0 && record.count == 0)
        record.add(microseconds: 1_000_000)
        for length in 1...1_024 { record.add(microseconds: UInt64(length)) }
        #expect(record.count == 1_025 && record.longest == 1_000_000)
        #expect(record.quantile(1) == 1_024 && record.quantile(0) == 513)
        var other = PauseRecord()
        other.add(microseconds: 5_000)
        record += other
        #expect(record.count == 1_026 && record.quantile(1) == 5_000)
        record.add(microseconds: .max)
        #expect(record.longest == .max)
    }
}

import Glibc
import JSON
import PerigeeTestKit
import Server
import Testing

@Suite("Keys of the scripts' limits", .bounded)
struct ScriptKeyTests {
    private func answer(_ key: String, _ value: String, _ script: String) throws -> String {
        var answer = ""
        let scripts = ["main.lua": "function onMessage(conn, message) \(script) end"]
        try withServer(keys: [key: value], scripts: scripts) { answer = try $0.answer(to: "go") }
        return answer
    }

    @Test("scripts.folder is where the scripts are")
    func folder() throws {
        func saying(_ word: String) -> String { "function onMessage(conn) conn:send('\(word)') end" }
        let other = try TemporaryFolder()
        try other.write(saying("other"), to: "main.lua")
        for (keys, answer) in [(["scripts.folder": other.path], "other"), ([:], "usual")] {
            try withServer(keys: keys, scripts: ["main.lua": saying("usual")]) { server in
                let said = try server.answer(to: "which?")
                #expect(said == answer)
            }
        }
    }

    @Test("for scripts.debounce after a change nothing is reloaded")
    func debounce() throws {
        let keys = ["scripts.debounce": "1s", "scripts.watch": "true"]
        try withServer(keys: keys, scripts: ["main.lua": "-- old"]) { server in
            let change = ContinuousClock.now
            try server.write("-- new", to: "main.lua")
            try server.log.wait(for: "scripts reloaded cause=file change", timeout: .seconds(20))
            // The default is a tenth of a second.
            #expect(ContinuousClock.now - change >= .milliseconds(500))
        }
    }

    @Test("scripts.coroutines may be there at once")
    func coroutines() throws {
        let script = """
            local kept, why = {}, "none refused"
            for i = 1, 10 do
              local ok, made = pcall(coroutine.create, function() end)
              if ok then kept[#kept + 1] = made else why = made end
            end
            conn:send(#kept .. " " .. why)
            """
        let answer = try answer("scripts.coroutines", "5", script)
        #expect(answer.hasPrefix("5 ") && answer.hasSuffix("(scripts.coroutines)"))
    }

    @Test("scripts.largestBlock is the longest string")
    func largestBlock() throws {
        let script = """
            local short, long = pcall(string.rep, "x", 60000), pcall(string.rep, "x", 70000)
            conn:send(tostring(short) .. " " .. tostring(long))
            """
        #expect(try answer("scripts.largestBlock", "64 KiB", script) == "true false")
        #expect(try answer("scripts.largestBlock", "1 MiB", script) == "true true")
    }

    @Test("kv.memory bounds the store")
    func storeMemory() throws {
        let script = """
            local ok, stored, why = pcall(kv.set, "a", ("x"):rep(100000))
            conn:send(kv.get("a") and "held" or "not held")
            """
        #expect(try answer("kv.memory", "64 KiB", script) == "not held")
        #expect(try answer("kv.memory", "16 MiB", script) == "held")
    }

    @Test("scripts.warning is the CPU time after which a handler is reported")
    func warning() throws {
        let script = """
            function onMessage(conn, message)
              if message == "short" then for i = 1, 5e6 do end else for i = 1, 3e8 do end end
              conn:send("done")
            end
            """
        try withServer(keys: ["scripts.warning": "200ms"], scripts: ["main.lua": script]) { server in
            for message in ["short", "long"] {
                #expect(try server.answer(to: message, timeout: .seconds(60)) == "done")
            }
            try server.log.wait(for: "a handler took more than 200 ms of CPU")
            #expect(server.log.lines.count { $0.contains("ms of CPU") } == 1)
        }
    }

    @Test("scripts.degradedKills within a minute make a server degraded")
    func degradedKills() throws {
        let script = ["main.lua": "function onMessage(conn, message) while true do end end"]
        for (keys, status) in [(["scripts.degradedKills": "1"], "degraded"), ([:], "ready")] {
            try withServer(
                keys: keys.merging(["scripts.budget": "20ms"]) { $1 }, scripts: script
            ) { server in
                let client = try server.connect()
                try client.send("go")
                try server.eventually("the handler is killed") { try server.nodeState()["handlersKilled"] == 1 }
                #expect(try server.ask("GET", "/readyz").json()["status"]?.string == status)
            }
        }
    }
}

// Scripts through the admin API: one script with its source, and the mistakes that handlers made.

import JSON
import PerigeeTestKit
import Testing

@testable import Gateway
@testable import Scripting
@testable import Server

@Suite("Admin: scripts", .bounded)
struct ScriptLookingTests {
    private static let scripts = [
        "main.lua":
            "function onMessage(conn, message)\n    if message == 'fail' then error('no luck') end\n    conn:send('ok')\nend",
        "games/chess.lua": "-- über\nfunction onOpen(conn) end",
        "lib/words.lua": "return {}",
    ]

    @Test("a script is shown with source, hash, routes and counts")
    func script() throws {
        try withServer(scripts: Self.scripts) { server in
            let client = try server.connect()
            for message in ["a", "fail", "b"] { try client.send(message) }
            #expect(try client.receiveText() == "ok")
            #expect(try client.receiveText() == "ok")
            for name in ["main", "main.lua"] {
                let shown = try server.ask("GET", "/v1/scripts/\(name)").json()
                #expect(shown["name"] == "main" && shown["file"] == "main.lua" && shown["version"] == 1)
                #expect(shown["source"]?.string == Self.scripts["main.lua"])
                #expect(shown["routes"] == ["*"])
                #expect(shown["handlers"] == ["onMessage": ["calls": 3, "errors": 1]])
                #expect(shown["hash"] == (try server.ask("GET", "/v1/scripts").json()["items"]?[1]?["hash"]))
            }
            let chess = try server.ask("GET", "/v1/scripts/games%2Fchess").json()
            #expect(chess["source"]?.string == Self.scripts["games/chess.lua"] && chess["routes"] == ["/games/chess"])
            let words = try server.ask("GET", "/v1/scripts/lib%2Fwords").json()
            #expect(words["file"] == "lib/words.lua" && words["routes"] == [] && words["handlers"] == [:])
            for name in ["words", "games", "games%2Fgo", "..%2Fmain", "%00"] {
                let nobody = try server.ask("GET", "/v1/scripts/\(name)")
                #expect(nobody.status == 404 && nobody.errorCode == "script_not_found", "\(name)")
            }
        }
    }

    @Test("the live source is shown, not the file, with the time of its change")
    func live() throws {
        try withServer(scripts: Self.scripts) { server in
            let before = try server.ask("GET", "/v1/scripts/main").json()["loadedAt"]?.int ?? 0
            try server.write("oops", to: "main.lua")
            #expect(try server.reload().status == 422)
            #expect(try server.ask("GET", "/v1/scripts/main").json()["source"]?.string == Self.scripts["main.lua"])
            try server.write("-- new", to: "main.lua")
            #expect(try server.reload().status == 200)
            let after = try server.ask("GET", "/v1/scripts/main").json()
            #expect(after["source"] == "-- new" && after["version"] == 2 && (after["loadedAt"]?.int ?? 0) >= before)
        }
        let bundle = try ScriptBundle(version: 1, scripts: ["a": "1", "b": "1"])
        var history = BundleHistory(live: bundle, loadedAt: 10)
        let first = LiveScripts(history, before: LiveScripts())
        history.push(try ScriptBundle(version: 2, scripts: ["a": "1", "b": "2"]), loadedAt: 20)
        let second = LiveScripts(history, before: first)
        #expect(first.fileTimes == ["a.lua": 10, "b.lua": 10] && second.fileTimes == ["a.lua": 10, "b.lua": 20])
    }

    @Test("errors are counted by place and message over all workers")
    func errors() throws {
        try withServer(scripts: Self.scripts) { server in
            #expect(try server.ask("GET", "/v1/scripts/errors").json() == ["items": [], "forgotten": 0, "next": .null])
            for client in try server.connectOnEachWorker() {
                try client.send("fail")
                try client.send("b")
                #expect(try client.receiveText() == "ok")
            }
            let items = try server.ask("GET", "/v1/scripts/errors").json()["items"]?.array ?? []
            try #require(items.count == 1)
            let item = items[0]
            #expect(item["file"] == "main.lua" && item["line"] == 2 && item["message"] == "no luck")
            #expect(item["sourceLine"]?.string?.contains("error('no luck')") == true && item["count"] == 2)
            #expect(item["traceback"]?.string?.contains("main.lua:2: in function") == true)
            #expect(item["handler"] == "onMessage" && item["version"] == 1)
            #expect(item["connection"]?.string.flatMap { ConnectionID($0) } != nil)
            #expect((item["firstSeen"]?.int ?? 0) > 1_700_000_000)
            #expect(item["lastSeen"]?.int ?? 0 >= item["firstSeen"]?.int ?? 1)
        }
    }

    @Test("the 100 that happened last are kept")
    func bounded() {
        let log = ScriptErrorLog()
        func note(_ number: Int, at time: Int) {
            log.note(ScriptError(file: "a.lua", line: number, message: "m", version: 1), connection: "c", now: time)
        }
        for number in 1...100 { note(number, at: number) }
        note(1, at: 101)
        note(101, at: 102)
        let (entries, forgotten) = log.contents
        #expect(entries.count == 100 && forgotten == 1)
        #expect(entries.prefix(3).map(\.error.line) == [101, 1, 100] && entries.last?.error.line == 3)
        #expect(entries[1].count == 2 && entries[1].firstSeen == 1 && entries[1].lastSeen == 101)
    }
}

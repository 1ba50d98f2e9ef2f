// Saving a file is enough: the watcher notices every way in which editors and deployments change a folder.

import PerigeeTestKit
import Testing

@testable import Server

@Suite("Reload by saving")
struct FileWatcherTests {
    private func withWatching(_ body: (TestServer, WebSocketClient) throws -> Void) throws {
        try withServer(scripts: ["main.lua": ReloadScripts.saying("old")]) { configuration in
            configuration.scripts.watch = true
            configuration.scripts.debounce = .milliseconds(30)
        } _: { server in
            let client = try WebSocketClient.connect(port: server.clientPort, timeout: .seconds(20))
            try body(server, client)
        }
    }

    private func expectSwap(_ server: TestServer, changed: String, version: Int) throws {
        let line = "notice scripts reloaded cause=file change changed=\(changed) version=\(version)"
        try server.log.wait(for: line, timeout: .seconds(20))
    }

    @Test("a file that is written in place, and one that is renamed over the old, is live on the open connection")
    func edits() throws {
        try withWatching { server, client in
            try server.write(ReloadScripts.saying("written"), to: "main.lua", .inPlace)
            try expectSwap(server, changed: "main.lua", version: 2)
            try client.send("a")
            #expect(try client.receiveText() == "written 1 v2 a")
            try server.write(ReloadScripts.saying("renamed"), to: "main.lua", .byRename)
            try expectSwap(server, changed: "main.lua", version: 3)
            try client.send("b")
            #expect(try client.receiveText() == "renamed 2 v3 b")
        }
    }

    @Test("a broken file is told to the log with its line, the old code goes on, and the mended file is live")
    func broken() throws {
        try withWatching { server, client in
            try server.write("function onMessage(conn)\n  conn:send(\nend", to: "main.lua")
            try server.log.wait(
                for: "error scripts not reloaded, version 1 goes on: main.lua:3: ", timeout: .seconds(20))
            try client.send("a")
            #expect(try client.receiveText() == "old 1 v1 a")
            try server.write(ReloadScripts.saying("mended"), to: "main.lua")
            try server.log.wait(
                for: "notice scripts reloaded cause=file change changed=main.lua", timeout: .seconds(20))
            try client.send("b")
            #expect(try client.receiveText().hasPrefix("mended 2 "))
        }
    }

    @Test("a script in a new folder is served, and the new folder is watched from then on")
    func newFolder() throws {
        try withWatching { server, _ in
            try server.write(ReloadScripts.saying("one"), to: "games/board/chess.lua")
            try expectSwap(server, changed: "games/board/chess.lua", version: 2)
            let chess = try WebSocketClient.connect(port: server.clientPort, path: "/games/board/chess")
            try chess.send("a")
            #expect(try chess.receiveText() == "one 1 v2 a")
            try server.write(ReloadScripts.saying("two"), to: "games/board/chess.lua")
            try expectSwap(server, changed: "games/board/chess.lua", version: 3)
            try chess.send("b")
            #expect(try chess.receiveText() == "two 2 v3 b")
        }
    }

    @Test("a script that is removed, and a folder that is moved away or into place, is noticed")
    func moves() throws {
        try withWatching { server, _ in
            try server.write(ReloadScripts.saying("extra"), to: "extra.lua")
            try expectSwap(server, changed: "extra.lua", version: 2)
            server.remove("extra.lua")
            try expectSwap(server, changed: "extra.lua", version: 3)
            let elsewhere = try TemporaryFolder()
            try elsewhere.write(ReloadScripts.saying("moved"), to: "games/go.lua")
            _ = try ChildProcess.shell("mv '\(elsewhere.path)/games' '\(server.scriptsFolder)/'")
            try expectSwap(server, changed: "games/go.lua", version: 4)
            _ = try ChildProcess.shell("mv '\(server.scriptsFolder)/games' '\(elsewhere.path)/'")
            try expectSwap(server, changed: "games/go.lua", version: 5)
        }
    }

    @Test("many files saved together are one version")
    func together() throws {
        try withServer(scripts: ["main.lua": ReloadScripts.saying("old")]) { configuration in
            configuration.scripts.watch = true
            configuration.scripts.debounce = .seconds(1)
        } _: { server in
            try server.write(ReloadScripts.saying("first"), to: "main.lua")
            try expectSwap(server, changed: "main.lua", version: 2)
            for name in ["a", "b", "c"] { try server.write(ReloadScripts.saying(name), to: "\(name).lua") }
            try expectSwap(server, changed: "a.lua b.lua c.lua", version: 3)
        }
    }
}

// Saving a file is enough: the watcher notices every way in which editors and deployments change a folder.

import EventLoop
import Glibc
import JSON
import PerigeeTestKit
import Settings
import Testing

@testable import Server

@Suite("Reload by saving", .bounded)
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

    /// On the open connection.
    @Test("a file written in place or renamed over the old is live")
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

    /// The corrected file is live.
    @Test("a broken file is logged with its line and the old code goes on")
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

    @Test("a script in a new folder is served and the new folder watched")
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

    /// A folder that is moved away or into place.
    @Test("a removed script and a moved folder are noticed")
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

    /// A server that watches `current`, a link to the folder `v1` beside it.
    private func withLink(_ body: (TestServer, _ folder: TemporaryFolder) throws -> Void) throws {
        let folder = try TemporaryFolder()
        try folder.write(ReloadScripts.saying("one"), to: "v1/main.lua")
        try folder.write(ReloadScripts.saying("two"), to: "v2/main.lua")
        try shell("ln -s v1 current", in: folder)
        try withServer {
            $0.scripts.folder = folder.path + "/current"
            $0.scripts.watch = true
            $0.scripts.debounce = .milliseconds(30)
        } _: { server in
            // The watcher looks first of all.
            try body(server, folder)
        }
    }

    private func shell(_ line: String, in folder: TemporaryFolder) throws {
        let result = try ChildProcess.shell("cd '\(folder.path)' && \(line)")
        #expect(result.status == 0, "\(result.errors)")
    }

    /// Its new target is watched from then on.
    @Test("a switched link to the folder is noticed")
    func swappedLink() throws {
        try withLink { server, folder in
            try shell("ln -s v2 next && mv -T next current", in: folder)
            try expectSwap(server, changed: "main.lua", version: 2)
            try folder.write(ReloadScripts.saying("three"), to: "v2/main.lua")
            try expectSwap(server, changed: "main.lua", version: 3)
            try folder.write(ReloadScripts.saying("nobody's"), to: "v1/main.lua")
            try shell("ln -s v1 next && mv -T next current", in: folder)
            try expectSwap(server, changed: "main.lua", version: 4)
            let client = try WebSocketClient.connect(port: server.clientPort)
            try client.send("a")
            #expect(try client.receiveText() == "nobody's 1 v4 a")
        }
    }

    @Test("a link on the way to the folder that is swapped is noticed")
    func swappedParent() throws {
        let folder = try TemporaryFolder()
        try folder.write(ReloadScripts.saying("one"), to: "v1/app/Scripts/main.lua")
        try folder.write(ReloadScripts.saying("two"), to: "v2/app/Scripts/main.lua")
        try shell("ln -s '\(folder.path)/v1' current", in: folder)
        try withServer {
            $0.scripts.folder = folder.path + "/current/app/Scripts"
            $0.scripts.watch = true
            $0.scripts.debounce = .milliseconds(30)
        } _: { server in
            try shell("ln -s v2 next && mv -T next current", in: folder)
            try expectSwap(server, changed: "main.lua", version: 2)
        }
    }

    @Test("a manual reload after the swap of a link reads the new target")
    func manualReload() throws {
        let folder = try TemporaryFolder()
        try folder.write(ReloadScripts.saying("one"), to: "v1/main.lua")
        try folder.write(ReloadScripts.saying("two"), to: "v2/main.lua")
        try shell("ln -s v1 current", in: folder)
        try withServer(configure: { $0.scripts.folder = folder.path + "/current" }) { server in
            try shell("ln -s v2 next && mv -T next current", in: folder)
            #expect(try server.reload().json() == ["version": 2, "changed": ["main.lua"]])
        }
    }

    /// A subfolder and a file behind a link are watched where they are.
    @Test("links and their targets are watched")
    func linkedEntries() throws {
        let elsewhere = try TemporaryFolder()
        try elsewhere.write(ReloadScripts.saying("one"), to: "games/go.lua")
        try elsewhere.write(ReloadScripts.saying("one"), to: "single/solo.lua")
        try elsewhere.write(ReloadScripts.saying("other"), to: "other/go.lua")
        try withWatching { server, _ in
            let (here, there) = (server.scriptsFolder, elsewhere.path)
            _ = try ChildProcess.shell(
                "ln -s '\(there)/games' '\(here)/games' && ln -s '\(there)/single/solo.lua' '\(here)/solo.lua'")
            try server.log.wait(for: "notice scripts reloaded", timeout: .seconds(20))
            // A file change without another text is no version.
            let first = try #require(try server.reload().json()["version"]?.int)
            try elsewhere.write(ReloadScripts.saying("two"), to: "games/go.lua")
            try expectSwap(server, changed: "games/go.lua", version: first + 1)
            try elsewhere.write(ReloadScripts.saying("two"), to: "single/solo.lua")
            try expectSwap(server, changed: "solo.lua", version: first + 2)
            try shell("ln -s other next && mv -T next games-link", in: elsewhere)
            _ = try ChildProcess.shell(
                "ln -s '\(there)/games-link' '\(here)/next' && mv -T '\(here)/next' '\(here)/games'")
            try expectSwap(server, changed: "games/go.lua", version: first + 3)
            try shell("ln -s games next && mv -T next games-link", in: elsewhere)
            try expectSwap(server, changed: "games/go.lua", version: first + 4)
        }
    }

    /// A file beside the folder is none.
    @Test("a changed mode of a file or folder is a change")
    func modes() throws {
        let folder = try TemporaryFolder()
        try folder.write("", to: "Scripts/lib/words.lua")
        try folder.write("", to: "other.lua")
        let loop = EventLoop()
        var changes = 0
        let watcher = try FileWatcher(
            folder: folder.path + "/Scripts", quiet: 5, on: loop, isBlind: { Issue.record("cannot watch \($0)") }
        ) { changes += 1 }
        defer { loop.remove(watcher) }
        func expectChange(after line: String) throws {
            let before = changes
            try shell(line, in: folder)
            for _ in 0..<200 where changes == before { loop.turn(waitingAtMost: 100) }
            #expect(changes > before, "\(line)")
        }
        // The first call is for changes before the folder was watched.
        try expectChange(after: "true")
        for line in [
            "chmod 600 Scripts/lib/words.lua", "chmod 755 Scripts/lib", "chmod 755 Scripts", "touch Scripts/new.lua",
            "mv Scripts away && mv away Scripts", "chmod 644 Scripts/lib/words.lua",
        ] {
            try expectChange(after: line)
            // The rest of that change.
            for _ in 0..<5 { loop.turn(waitingAtMost: 20) }
        }
        let before = changes
        try shell("touch beside.lua && chmod 600 other.lua && mkdir Scripts2 && rm beside.lua", in: folder)
        for _ in 0..<10 { loop.turn(waitingAtMost: 20) }
        #expect(changes == before)
    }

    /// And again when they return.
    @Test("folders beyond the watchable number are logged once")
    func tooMany() throws {
        let folder = try TemporaryFolder()
        try folder.write("", to: "Scripts/main.lua")
        let many = "mkdir $(seq -f 'Scripts/d%g' \(FileWatcher.maxFolders))"
        try shell(many, in: folder)
        let loop = EventLoop()
        var (told, changes): ([String], Int) = ([], 0)
        let watcher = try FileWatcher(
            folder: folder.path + "/Scripts", quiet: 5, on: loop, isBlind: { told.append($0) },
            changed: { changes += 1 })
        defer { loop.remove(watcher) }
        func expectChange(after line: String) throws {
            let before = changes
            try shell(line, in: folder)
            for _ in 0..<200 where changes == before { loop.turn(waitingAtMost: 100) }
            #expect(changes > before, "\(line)")
            for _ in 0..<5 { loop.turn(waitingAtMost: 20) }
        }
        #expect(told.count == 1 && told[0].contains("1000 folders are watched already"), "\(told)")
        try expectChange(after: "touch Scripts/main.lua")
        try expectChange(after: "touch Scripts/main.lua")
        #expect(told.count == 1)
        try expectChange(after: "rm -r Scripts/d*")
        try expectChange(after: many)
        #expect(told.count == 2)
    }

    @Test("an entry of unknown type is looked up and a link stays a link")
    func unknownType() throws {
        let folder = try TemporaryFolder()
        try folder.write("", to: "sub/main.lua")
        try shell("ln -s sub link && ln -s nowhere broken", in: folder)
        let unknown = UInt8(DT_UNKNOWN)
        #expect(FileWatcher.kind(unknown, of: folder.path + "/sub") == UInt8(DT_DIR))
        #expect(FileWatcher.kind(unknown, of: folder.path + "/sub/main.lua") == UInt8(DT_REG))
        #expect(FileWatcher.kind(unknown, of: folder.path + "/link") == UInt8(DT_LNK))
        #expect(FileWatcher.kind(unknown, of: folder.path + "/broken") == UInt8(DT_LNK))
        #expect(FileWatcher.kind(UInt8(DT_REG), of: folder.path + "/sub") == UInt8(DT_REG))
        #expect(FileWatcher.kind(unknown, of: folder.path + "/gone") == unknown)
    }

    @Test("a path is looked up name by name and through each of its links")
    func steps() throws {
        let folder = try TemporaryFolder()
        try folder.write("", to: "v1/app/main.lua")
        try shell("ln -s v1 current && ln -s ../v1/app v1/twin && ln -s loop loop", in: folder)
        let base = PathStep.steps(of: folder.path).count
        let steps = PathStep.steps(of: folder.path + "/current/./twin/main.lua").dropFirst(base)
        #expect(steps.map(\.name) == ["current", "v1", "twin", "v1", "app", "main.lua"])
        #expect(steps.last?.folder.hasSuffix("/v1/../v1/app") == true)
        #expect(PathStep.steps(of: folder.path + "/loop/x").count < 100)
        #expect(
            PathStep.steps(of: "Scripts/lib") == [
                PathStep(folder: ".", name: "Scripts"), PathStep(folder: "./Scripts", name: "lib"),
            ])
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

// PUT /v1/scripts/{name}: off unless allowed, and then all of it or nothing: the file, and the live version.

import EventLoop
import Glibc
import JSON
import PerigeeTestKit
import Settings
import Testing

@testable import Scripting
@testable import Server

@Suite("Upload", .bounded)
struct UploadTests {
    private func withUpload(_ body: (TestServer) throws -> Void) throws {
        try withServer(scripts: ["main.lua": ReloadScripts.saying("old")]) {
            $0.scripts.upload = true
        } _: {
            try body($0)
        }
    }

    private func contents(_ server: TestServer) throws -> String {
        try ChildProcess.shell("cd '\(server.scriptsFolder)' && find . | sort | xargs").output
    }

    private func text(of name: String, _ server: TestServer) throws -> String {
        try ChildProcess.shell("cat '\(server.scriptsFolder)/\(name)'").output
    }

    /// On open connections; the script is in the folder.
    @Test("curl -T uploads a script that is live before its answer")
    func curl() throws {
        try withUpload { server in
            let client = try server.connect()
            let folder = try TemporaryFolder()
            try folder.write(ReloadScripts.saying("new"), to: "main.lua")
            // With a slash at the end, curl takes the file's name.
            let url = server.server.adminURL + "/v1/scripts/"
            let answer = try ChildProcess.shell("curl -sS -w ' %{http_code}' -T '\(folder.path)/main.lua' '\(url)'")
            #expect(answer.output == #"{"version":2,"changed":["main.lua"]} 200"#, "\(answer)")
            try client.send("a")
            #expect(try client.receiveText() == "new 1 v2 a")
            #expect(try text(of: "main.lua", server) == ReloadScripts.saying("new"))
            #expect(try contents(server) == ". ./main.lua\n")
            #expect(try server.reload().json() == ["version": 3, "changed": []])
        }
    }

    @Test("an upload creates a script's folder and updates a module's users")
    func folders() throws {
        try withUpload { server throws in
            #expect(
                try server.ask("PUT", "/v1/scripts/lib%2Fdeep%2Fwords", body: "return {word = 'w'}").status == 200)
            let body = "local w = require 'deep.words' function onOpen(conn) conn:send(w.word) end"
            #expect(try server.ask("PUT", "/v1/scripts/games%2Fchess.lua", body: body).json()["version"] == 3)
            #expect(try server.connect("/games/chess").receiveText() == "w")
            #expect(
                try contents(server) == ". ./games ./games/chess.lua ./lib ./lib/deep ./lib/deep/words.lua ./main.lua\n"
            )
        }
    }

    /// Neither the file nor the live version changes.
    @Test("a script that does not load is 422 with every error")
    func broken() throws {
        try withUpload { server in
            let client = try server.connect()
            for body in ["function onMessage(conn)\n  conn:send(\nend", "error('no')", "return 5", "require 'nothing'"]
            {
                for name in ["main", "games%2Fchess"] {
                    let refused = try server.ask("PUT", "/v1/scripts/\(name)", body: body)
                    #expect(refused.status == 422 && refused.errorCode == "scripts_invalid")
                    #expect(try refused.json()["error"]?["errors"]?.array?.count == 1)
                }
            }
            let notText = try HTTPClient(port: server.adminPort).request("PUT", "/v1/scripts/main", body: [0xFF, 0xFE])
            #expect(notText.status == 422 && notText.text.contains("is not valid UTF-8"))
            #expect(try contents(server) == ". ./main.lua\n")
            #expect(try text(of: "main.lua", server) == ReloadScripts.saying("old"))
            try client.send("a")
            #expect(try client.receiveText() == "old 1 v1 a")
        }
    }

    @Test("an upload that one worker refuses leaves no file and no folder")
    func refusedByOneWorker() throws {
        let script = """
            local s = server.state("s", 1, function() return {} end)
            function onMessage(conn, message) s.poison = message == "poison" conn:send("v" .. server.version) end
            """
        try withServer(scripts: ["main.lua": script]) {
            $0.scripts.upload = true
        } _: { server in
            let clients = try server.connectOnEachWorker()
            try clients[1].send("poison")
            #expect(try clients[1].receiveText() == "v1")
            let other = """
                server.state("s", 2, function() return {} end, function(old) assert(not old.poison, "poisoned") return {} end)
                """
            server.remove("main.lua")
            try server.write("", to: "main.lua")
            let refused = try server.ask("PUT", "/v1/scripts/deep%2Fer%2Fother", body: other)
            #expect(refused.status == 422 && refused.text.contains("poisoned"))
            #expect(try contents(server) == ". ./main.lua\n")
        }
    }

    /// A new one gets those of any new file.
    @Test("a replaced script keeps its mode and its owner")
    func access() throws {
        try withUpload { server throws in
            let path = server.scriptsFolder + "/main.lua"
            for mode: mode_t in [0o600, 0o640, 0o755, 0o444] {
                try #require(chmod(path, mode) == 0)
                if geteuid() == 0 { try #require(chown(path, 1234, 4321) == 0) }
                let body = ReloadScripts.saying("mode \(mode)")
                #expect(try server.ask("PUT", "/v1/scripts/main", body: body).status == 200)
                var status = stat()
                try #require(stat(path, &status) == 0)
                #expect(status.st_mode & 0o7777 == mode)
                if geteuid() == 0 { #expect(status.st_uid == 1234 && status.st_gid == 4321) }
                #expect(try text(of: "main.lua", server) == body)
            }
            #expect(try server.ask("PUT", "/v1/scripts/new", body: "").status == 200)
            var status = stat()
            try #require(stat(server.scriptsFolder + "/new.lua", &status) == 0)
            let mask = umask(0)
            umask(mask)
            #expect(status.st_mode & 0o7777 == 0o666 & ~mask && status.st_uid == geteuid())
        }
    }

    @Test(
        "a script of another owner is not replaced without the right to chown",
        .enabled(if: geteuid() == 0, "root alone can take the right from itself"))
    func foreignOwner() throws {
        let folder = try TemporaryFolder()
        try folder.write("old", to: "main.lua")
        try #require(chmod(folder.path, 0o777) == 0)
        let symbol = try #require(dlsym(dlopen(nil, RTLD_NOW), "setfsuid"))
        let setUser = unsafeBitCast(symbol, to: (@convention(c) (uid_t) -> Int32).self)
        let outcomes = Inbox<String>()
        // The kernel keeps the user of a thread's files apart from that of the others.
        let thread = LoopThread(name: "nobody") { [path = folder.path] in
            _ = setUser(65_534)
            do throws(StagedFile.Failure) {
                let file = try StagedFile("main.lua", in: path, bytes: Array("new".utf8))
                file.discard()
                outcomes.post("staged")
            } catch {
                outcomes.post(error.message)
            }
            let new = try? StagedFile("new.lua", in: path, bytes: Array("new".utf8))
            outcomes.post(new == nil ? "refused" : "staged")
            new?.discard()
        }
        thread.join()
        let found = outcomes.wait()
        #expect(found.first?.contains("belongs to user 0, and this process may not pass the file on") == true)
        #expect(found.last == "staged")
        #expect(try ChildProcess.shell("ls -A '\(folder.path)'").output == "main.lua\n")
    }

    @Test("a file that has the name of the temporary one is not written to")
    func temporaryName() throws {
        let folder = try TemporaryFolder()
        try folder.write("precious", to: "victim")
        try #require(link(folder.path + "/victim", folder.path + "/.main.lua.\(getpid()).upload") == 0)
        let file = try StagedFile("main.lua", in: folder.path, bytes: Array("new".utf8))
        try file.publish()
        #expect(try ChildProcess.shell("cat '\(folder.path)'/victim '\(folder.path)'/main.lua").output == "preciousnew")
    }

    @Test("refuses names that lead out of the folder, to hidden files or to tests")
    func names() throws {
        let good = ["a", "a.lua", "games/chess", "lib/util", "A-b_9", "tests", "lib/tests/x", "errors.lua"]
        let bad = [
            "", ".lua", "..", "../x", "a/../b", "/a", "a/", "a//b", ".hidden", "a/.b", "a.b", "a.lua.lua", "tests/a",
            "lib",
            "lib.lua", "ä", "a b", "a\u{0}b", "a\\b", "1/2/3/4/5/6/7/8/9/10", String(repeating: "x", count: 201),
        ]
        for name in good { #expect(ScriptPath(name) != nil, "\(name)") }
        for name in bad { #expect(ScriptPath(name) == nil, "\(name)") }
        try withUpload { server throws in
            for name in ["..%2Fx", "%2Fetc%2Fx", "tests%2Fx", "a.b", "%00", ".x"] {
                let refused = try server.ask("PUT", "/v1/scripts/\(name)", body: "")
                #expect(refused.status == 400 && refused.errorCode == "script_name_invalid", "\(name)")
            }
            #expect(try server.ask("PUT", "/v1/scripts/errors", body: "").status == 405)
            #expect(try server.ask("PUT", "/v1/scripts/errors.lua", body: "").status == 200)
        }
    }

    @Test("it is off by default and needs a key that may manage")
    func off() throws {
        try withServer(scripts: ["main.lua": ""]) { server throws in
            let refused = try server.ask("PUT", "/v1/scripts/main", body: "")
            #expect(refused.status == 403 && refused.errorCode == "upload_off")
        }
        try withServer(scripts: ["main.lua": ""]) {
            $0.scripts.upload = true
            $0.admin.keys = [AdminKey(name: "look", key: "0123456789abcdef", scopes: [.read, .publish])]
        } _: { server in
            let refused = try server.ask("PUT", "/v1/scripts/main", headers: [("X-API-Key", "0123456789abcdef")])
            #expect(refused.status == 403 && refused.errorCode == "scope_missing")
        }
    }

    @Test("a folder that cannot be written is 500 and the live version goes on")
    func notWritable() throws {
        let folder = try TemporaryFolder()
        try folder.write("x", to: "file")
        // A file stands where a folder would have to be: that holds for root, too.
        #expect(throws: StagedFile.Failure.self) { try StagedFile("file/a.lua", in: folder.path, bytes: []) }
        try withUpload { server in
            try server.write("not a folder", to: "games")
            let refused = try server.ask("PUT", "/v1/scripts/games%2Fchess", body: "function onOpen() end")
            #expect(refused.status == 500 && refused.errorCode == "script_not_written")
            #expect(try server.nodeState()["scriptVersion"] == 1)
        }
    }

    @Test("with the watcher on, an upload is one version, not two")
    func watched() throws {
        try withServer(scripts: ["main.lua": ReloadScripts.saying("old")]) {
            $0.scripts.upload = true
            $0.scripts.watch = true
            $0.scripts.debounce = .milliseconds(10)
        } _: { server in
            for version in 2...6 {
                let body = ReloadScripts.saying("v\(version)")
                #expect(try server.ask("PUT", "/v1/scripts/main", body: body).json()["version"]?.int == version)
            }
            try server.write(ReloadScripts.saying("saved"), to: "main.lua")
            try server.log.wait(
                for: "scripts reloaded cause=file change changed=main.lua version=7", timeout: .seconds(20))
        }
    }
}

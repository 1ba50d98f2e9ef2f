// Reloading through the admin API: the changes, the survivors, and the effect of an error.

import JSON
import PerigeeTestKit
import Settings
import Testing

@testable import Server

@Suite("Reload", .bounded)
struct ReloadTests {
    /// Its data and subscriptions survive.
    @Test("the open connection's next message meets the new code")
    func swaps() throws {
        try withServer(scripts: ["main.lua": ReloadScripts.saying("old")]) { server in
            let clients = try (0..<6).map { _ in try WebSocketClient.connect(port: server.clientPort) }
            for client in clients {
                try client.send("a")
                #expect(try client.receiveText() == "old 1 v1 a")
            }
            try server.write(ReloadScripts.saying("new"), to: "main.lua")
            let answer = try server.reload()
            #expect(answer.status == 200)
            #expect(try answer.json() == ["version": 2, "changed": ["main.lua"]])
            #expect(try server.publish("push", to: "news")["version"] == 2)
            for client in clients {
                #expect(try client.receiveText() == "push")
                try client.send("b")
                #expect(try client.receiveText() == "new 2 v2 b")
            }
            let line = try server.log.wait(for: "scripts reloaded")
            #expect(line == "notice scripts reloaded cause=admin API changed=main.lua version=2")
            let scripts = try HTTPClient.once("GET", "/v1/scripts", port: server.adminPort).json()
            #expect(scripts["version"] == 2)
        }
    }

    /// With file, line and source line; so does the log.
    @Test("broken code keeps the old and 422 names every error")
    func broken() throws {
        try withServer(scripts: ["main.lua": ReloadScripts.saying("old"), "lib/words.lua": "return {}"]) { server in
            let client = try WebSocketClient.connect(port: server.clientPort)
            try server.write("function onMessage(conn)\n    conn:send(\nend\n", to: "main.lua")
            try server.write("return }", to: "lib/words.lua")
            let answer = try server.reload()
            #expect(answer.status == 422 && answer.errorCode == "scripts_invalid")
            let error = try answer.json()["error"]
            let errors = try #require(error?["errors"]?.array)
            #expect(errors.map { $0["file"] } == ["lib/words.lua", "main.lua"])
            #expect(errors.map { $0["line"] } == [1, 3])
            #expect(errors.map { $0["sourceLine"] } == ["return }", "end"])
            #expect(errors.map { $0["column"] } == [8, 1])
            #expect(errors.allSatisfy { $0["message"]?.string?.isEmpty == false })
            #expect(error?["message"]?.string?.hasPrefix("lib/words.lua:1: ") == true)
            try server.log.wait(for: "error scripts not reloaded, version 1 goes on: main.lua:3: ")
            try server.log.wait(for: "error scripts not reloaded, version 1 goes on: lib/words.lua:1: ")
            try client.send("a")
            #expect(try client.receiveText() == "old 1 v1 a")
            let node = try HTTPClient.once("GET", "/v1/node", port: server.adminPort).json()
            #expect(node["scriptVersion"] == 1)
        }
    }

    @Test("an error of a script's top level fails the reload with its traceback")
    func brokenTopLevel() throws {
        try withServer(scripts: ["main.lua": ReloadScripts.saying("old")]) { server in
            let client = try WebSocketClient.connect(port: server.clientPort)
            try server.write("local function start()\n    error('no luck')\nend\nstart()\n", to: "main.lua")
            let error = try server.reload().json()["error"]?["errors"]?[0]
            #expect(error?["file"] == "main.lua" && error?["line"] == 2 && error?["message"] == "no luck")
            #expect(error?["traceback"]?.string?.contains("main.lua:4") == true)
            try client.send("a")
            #expect(try client.receiveText() == "old 1 v1 a")
        }
    }

    @Test("the next reload works once the error is corrected")
    func mended() throws {
        try withServer(scripts: ["main.lua": ReloadScripts.saying("old")]) { server in
            let client = try WebSocketClient.connect(port: server.clientPort)
            try server.write("oops", to: "main.lua")
            #expect(try server.reload().status == 422)
            try server.write(ReloadScripts.saying("new"), to: "main.lua")
            let version = try #require(try server.reload().json()["version"]?.int)
            try client.send("a")
            #expect(try client.receiveText() == "new 1 v\(version) a")
        }
    }

    @Test("when one worker cannot start the new code, no worker gets it")
    func allOrNone() throws {
        // The new code takes memory that a worker has, unless one of its connections holds much of it.
        let hoarding = """
            function onMessage(conn, message)
                if message == "hoard" then conn.data.hoard = string.rep("x", 1500000) end
                if message == "let go" then conn.data.hoard = nil end
                conn:send("WORD v" .. server.version)
            end

            """
        let large = hoarding.replacing("WORD", with: "new") + "\nlocal table = string.rep('y', 1500000)\n"
        try withServer(scripts: ["main.lua": hoarding.replacing("WORD", with: "old")]) {
            $0.scripts.memory = 4 << 20
        } _: { server in
            let clients = try (0..<8).map { _ in try WebSocketClient.connect(port: server.clientPort) }
            try clients[0].send("hoard")
            #expect(try clients[0].receiveText() == "old v1")
            try server.write(large, to: "main.lua")
            let refused = try server.reload()
            #expect(refused.status == 422)
            #expect(refused.text.contains("not enough memory"))
            for client in clients {
                try client.send("hello")
                #expect(try client.receiveText() == "old v1")
            }
            try clients[0].send("let go")
            _ = try clients[0].receiveText()
            let version = try #require(try server.reload().json()["version"]?.int)
            for client in clients {
                try client.send("hello")
                #expect(try client.receiveText() == "new v\(version)")
            }
        }
    }

    /// It reports that no file changed.
    @Test("a reload without a change gives a new version")
    func unchanged() throws {
        try withServer(scripts: ["main.lua": ReloadScripts.saying("same")]) { server throws in
            #expect(try server.reload().json() == ["version": 2, "changed": []])
        }
    }

    // MARK: Routes

    /// Its connections, too.
    @Test("a new script gets its path and a removed one leaves it to main")
    func files() throws {
        try withServer(scripts: ["main.lua": ReloadScripts.saying("main")]) { server in
            let before = try WebSocketClient.connect(port: server.clientPort, path: "/games/chess")
            try server.write(ReloadScripts.saying("chess"), to: "games/chess.lua")
            #expect(try server.reload().json()["changed"] == ["games/chess.lua"])
            let chess = try WebSocketClient.connect(port: server.clientPort, path: "/games/chess")
            try chess.send("a")
            #expect(try chess.receiveText() == "chess 1 v2 a")
            try before.send("a")
            #expect(try before.receiveText() == "main 1 v2 a", "a connection keeps its script")
            server.remove("games/chess.lua")
            #expect(try server.reload().json()["changed"] == ["games/chess.lua"])
            try chess.send("b")
            #expect(try chess.receiveText() == "main 2 v3 b")
            try server.log.wait(for: "script removed")
            let after = try WebSocketClient.connect(port: server.clientPort, path: "/games/chess")
            try after.send("a")
            #expect(try after.receiveText() == "main 1 v3 a")
        }
    }

    /// A route to no script is an error.
    @Test("explicit routes serve only their paths")
    func routes() throws {
        let scripts = ["rooms/chat.lua": ReloadScripts.saying("chat"), "main.lua": ReloadScripts.saying("main")]
        try withServer(scripts: scripts, configure: { $0.scripts.routes = ["/talk": "rooms/chat"] }) { server in
            let client = try WebSocketClient.connect(port: server.clientPort, path: "/talk")
            try client.send("a")
            #expect(try client.receiveText() == "chat 1 v1 a")
            for path in ["/", "/rooms/chat", "/talk/"] {
                #expect(try WebSocketClient.handshakeRefused(port: server.clientPort, path: path).status == 404)
            }
            server.remove("rooms/chat.lua")
            let refused = try server.reload()
            #expect(refused.status == 422)
            #expect(refused.text.contains("the route /talk names a script that does not exist"))
            try client.send("b")
            #expect(try client.receiveText() == "chat 2 v1 b")
        }
    }

    @Test("a missing and an empty folder keep the old scripts")
    func noFolder() throws {
        try withServer(scripts: ["main.lua": ReloadScripts.saying("old")]) { server in
            let client = try WebSocketClient.connect(port: server.clientPort)
            server.remove("main.lua")
            #expect(try server.reload().text.contains("the folder holds no script"))
            _ = try ChildProcess.shell("mv '\(server.scriptsFolder)' '\(server.scriptsFolder).away'")
            let refused = try server.reload()
            _ = try ChildProcess.shell("mv '\(server.scriptsFolder).away' '\(server.scriptsFolder)'")
            #expect(refused.status == 422 && refused.text.contains("cannot be read"))
            try client.send("a")
            #expect(try client.receiveText() == "old 1 v1 a")
        }
    }

    // MARK: Under load

    /// Each message is answered by a version that was live.
    @Test("200 reloads lose, double and reorder no message")
    func underLoad() throws {
        try withServer(scripts: ["main.lua": ReloadScripts.saying("0")]) { server in
            let clients = try (0..<4).map { _ in
                try WebSocketClient.connect(port: server.clientPort, timeout: .seconds(30))
            }
            let reloading = try RawSocket.connect(port: server.adminPort, timeout: .seconds(30))
            let pushing = HTTPClient(port: server.adminPort, timeout: .seconds(30))
            var sent = 0
            for round in 1...200 {
                try server.write(ReloadScripts.saying("\(round)"), to: "main.lua")
                try reloading.send("POST /v1/scripts/reload HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\n\r\n")
                for _ in 0..<3 {
                    sent += 1
                    for client in clients { try client.send("\(sent)") }
                    let push = try pushing.request("POST", "/v1/channels/news/messages", body: "push \(sent)").json()
                    #expect(push["queued"]?.int == clients.count)
                }
                let answer = try HTTPResponse.read(from: reloading, method: "POST").json()
                #expect(answer["version"]?.int == round + 1)
            }
            for client in clients { try expectEverything(from: client, count: sent) }
        }
    }

    private func expectEverything(from client: WebSocketClient, count: Int) throws {
        var answers = 0
        var pushes = 0
        var version = 1
        for message in try client.receiveAll() {
            guard case .text(let text) = message else { continue }
            let words = text.split(separator: " ")
            if words[0] == "push" {
                pushes += 1
                try #require(words[1] == "\(pushes)")
                continue
            }
            answers += 1
            let spoken = try #require(words[2].first == "v" ? Int(words[2].dropFirst()) : nil)
            try #require(words[1] == "\(answers)" && words[3] == "\(answers)", "\(text)")
            // A version answers with its own word: no handler runs half old and half new.
            try #require(spoken >= version && words[0] == "\(spoken - 1)", "\(text)")
            version = spoken
        }
        #expect(answers == count && pushes == count)
    }

    /// The newest files are live at the end.
    @Test("simultaneous reloads are all answered")
    func atOnce() throws {
        try withServer(scripts: ["main.lua": ReloadScripts.saying("old")]) { server in
            let client = try WebSocketClient.connect(port: server.clientPort)
            try server.write(ReloadScripts.saying("new"), to: "main.lua")
            let sockets = try (0..<5).map { _ in try RawSocket.connect(port: server.adminPort, timeout: .seconds(20)) }
            for socket in sockets {
                try socket.send("POST /v1/scripts/reload HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\n\r\n")
            }
            let versions = try sockets.map { socket -> Int in
                let answer = try HTTPResponse.read(from: socket, method: "POST")
                #expect(answer.status == 200)
                return try #require(try answer.json()["version"]?.int)
            }
            #expect(versions.allSatisfy { (2...6).contains($0) })
            try client.send("a")
            #expect(try client.receiveText() == "new 1 v\(versions.max() ?? 0) a")
        }
    }
}

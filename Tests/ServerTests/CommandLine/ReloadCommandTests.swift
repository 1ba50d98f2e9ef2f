// `perigee reload` against a running `perigee serve`.

import PerigeeTestKit
import Testing

@testable import Admin
@testable import Server

@Suite("Command line: reload", .bounded)
struct ReloadCommandTests {
    private static let key = "manage-me-0123456789"

    /// A server that watches no files, whose admin API wants a key.
    private func withProcess(
        _ body: (PerigeeProcess, _ reload: ([String]) throws -> (Int32, String)) throws -> Void
    ) throws {
        let environment = ["PERIGEE_SCRIPTS_WATCH": "false", "PERIGEE_ADMIN_KEYS": "ops:manage=\(Self.key)"]
        let server = try PerigeeProcess(scripts: ["main.lua": ReloadScripts.saying("one")], environment: environment)
        try body(server) { arguments in
            let result = try PerigeeProgram.run(
                ["reload", "--admin", "127.0.0.1:\(server.adminPort)"] + arguments,
                environment: environment.merging(SecureProgram.commandEnvironment) { $1 })
            return (result.status, result.output + result.errors)
        }
    }

    @Test("prints the version and the changed files and rolls back on request")
    func reloads() throws {
        try withProcess { server, reload in
            #expect(try reload([]) == (0, "version 2 is live; no file has changed\n"))
            try server.folder.write(ReloadScripts.saying("two"), to: "main.lua")
            try server.folder.write("return {}", to: "lib/words.lua")
            #expect(try reload([]) == (0, "version 3 is live; changed: lib/words.lua main.lua\n"))
            let back = "version 4 is live, which is version 2 again; changed: lib/words.lua main.lua\n"
            #expect(try reload(["--rollback"]) == (0, back))
            #expect(try reload(["--to", "3"]).1.hasPrefix("version 5 is live, which is version 3 again; "))
            let client = try WebSocketClient.connect(port: server.clientPort)
            try client.send("a")
            #expect(try client.receiveText() == "two 1 v5 a")
        }
    }

    @Test("a failed reload prints every error with its source line and exits 1")
    func fails() throws {
        try withProcess { server, reload in
            try server.folder.write("function onMessage(conn)\n  conn:send(\nend", to: "main.lua")
            try server.folder.write("x = = 1", to: "echo.lua")
            let (status, output) = try reload([])
            #expect(status == 1)
            let lines = output.split(separator: "\n")
            #expect(lines.contains { $0.hasPrefix("main.lua:3: ") } && lines.contains("    3 | end"))
            #expect(lines.contains { $0.hasPrefix("echo.lua:1: ") } && lines.contains("    1 | x = = 1"))
            let none = try reload(["--rollback"])
            #expect(none == (1, "there is no previous version of the scripts to go back to\n"))
            #expect(try reload(["--to", "9"]).0 == 1)
            #expect(try reload(["--to", "x"]).0 == 64)
        }
    }

    @Test("without a server it prints the address and exits 1")
    func nobody() throws {
        let result = try PerigeeProgram.run(["reload", "--admin", "127.0.0.1:1"])
        #expect(result.status == 1 && result.errors.contains("no server answers at 127.0.0.1:1"))
    }

    @Test("prints any answer in words")
    func answers() {
        #expect(ReloadAnswer(status: 502, body: "<html>").text == "<html>")
        #expect(ReloadAnswer(status: 200, body: "{}").text == "{}")
        let error = #"{"error":{"code":"c","message":"m","hint":"h","errors":[]}}"#
        #expect(ReloadAnswer(status: 422, body: error).text == "m\nh")
        let scripts = #"{"error":{"errors":[{"file":"","line":null,"message":"m","sourceLine":null,"traceback":"t"}]}}"#
        #expect(ReloadAnswer(status: 422, body: scripts).text == "m\nt")
        #expect(!ReloadAnswer(status: 422, body: scripts).succeeded)
    }
}

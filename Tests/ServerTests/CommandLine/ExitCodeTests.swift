// The end of `perigee` when it fails: a documented code, one clear line for each mistake on standard error, nothing on standard
// output, and no stack trace.

import PerigeeTestKit
import Testing

@Suite("Command line: exit codes", .plainOnly("starts no server that clients reach"), .bounded)
struct ExitCodeTests {
    private static let loopback = ["--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"]

    private func folder(_ scripts: [String: String]) throws -> TemporaryFolder {
        let folder = try TemporaryFolder()
        for (name, source) in scripts { try folder.write(source, to: name) }
        return folder
    }

    /// Runs the program, and answers its lines on standard error.
    private func errorLines(
        _ arguments: [String], environment: [String: String] = [:], exitCode: Int32
    ) throws -> [String] {
        let result = try PerigeeProgram.run(arguments, environment: environment)
        #expect(result.status == exitCode, "\(arguments): \(result)")
        #expect(result.output == "")
        #expect(!result.errors.contains("Fatal error") && !result.errors.contains("Crash:"))
        let lines = result.errors.split(separator: "\n").map(String.init)
        #expect(lines.allSatisfy { $0.hasPrefix("perigee: ") })
        return lines.map { String($0.dropFirst("perigee: ".count)) }
    }

    /// File and line, variable or flag.
    @Test("2: reports every error of the configuration at once with its place")
    func configuration() throws {
        let folder = try folder(["main.lua": ""])
        try folder.write("lsten: 127.0.0.1:0\nworkers: many\n", to: "perigee.yaml")
        let lines = try errorLines(
            ["--config", folder.path + "/perigee.yaml", "--listen", "nonsense"],
            environment: ["PERIGEE_DEMO": "maybe"], exitCode: 2)
        try #require(lines.count == 4)
        #expect(lines[0] == "\(folder.path)/perigee.yaml:1:1: unknown key 'lsten'; did you mean 'listen'?")
        #expect(lines[1].hasPrefix("\(folder.path)/perigee.yaml:2:10: workers is \"many\"; allowed: "))
        #expect(lines[2] == "PERIGEE_DEMO: demo is \"maybe\"; allowed: true, false, loopback")
        #expect(lines[3].hasPrefix("command line: listen is \"nonsense\"; allowed: "))
        for command in ["check", "config"] {
            #expect(try errorLines([command, "--workers", "many"], exitCode: 2).count == 1)
        }
    }

    @Test("2: a missing configuration file and an open admin API")
    func configurationRules() throws {
        let missing = try errorLines(["--config", "/nowhere/perigee.yaml"], exitCode: 2)
        #expect(missing.count == 1 && missing[0].hasPrefix("/nowhere/perigee.yaml: "))
        let open = try errorLines(["--admin", "0.0.0.0:0"], exitCode: 2)
        #expect(open.count == 1 && open[0].contains("admin.keys is empty; configure a key"))
    }

    /// For clients and for the admin API, with one worker and with several.
    @Test("3: a port in use by another process")
    func portInUse() throws {
        let folder = try folder(["main.lua": ""])
        try withServer(scripts: ["main.lua": ""]) { server in
            for workers in ["1", "2"] {
                for (option, other, port) in [
                    ("--listen", "--admin", server.clientPort), ("--admin", "--listen", server.adminPort),
                    ("--listen", "--admin", server.adminPort), ("--admin", "--listen", server.clientPort),
                ] {
                    let lines = try errorLines(
                        [
                            "serve", option, "127.0.0.1:\(port)", other, "127.0.0.1:0", "--scripts", folder.path,
                            "--workers", workers,
                        ], exitCode: 3)
                    #expect(lines == ["cannot listen on 127.0.0.1:\(port): the port is in use by another process"])
                }
            }
        }
    }

    @Test("3: an address that is not this machine's")
    func foreignAddress() throws {
        let folder = try folder(["main.lua": ""])
        let lines = try errorLines(
            ["--listen", "192.0.2.1:0", "--admin", "127.0.0.1:0", "--scripts", folder.path], exitCode: 3)
        #expect(lines == ["cannot listen on 192.0.2.1:0: this machine has no such address"])
    }

    @Test("4: scripts with mistakes, each with file, line and source line")
    func brokenScripts() throws {
        let folder = try folder([
            "main.lua": "function onMessage(conn)\n  conn:send(\nend\n", "echo.lua": "x = = 1",
        ])
        let lines = try errorLines(Self.loopback + ["--scripts", folder.path], exitCode: 4)
        try #require(lines.count == 5)
        #expect(lines[0].hasPrefix("echo.lua:1: ") && lines[1] == "    1 | x = = 1")
        #expect(lines[2].hasPrefix("main.lua:3: ") && lines[3] == "    3 | end" && lines[4] == "      | ^^^")
    }

    @Test("4: a script whose top level fails")
    func failingScript() throws {
        let folder = try folder(["main.lua": "local words = nil\nreturn words.hello\n"])
        let lines = try errorLines(Self.loopback + ["--scripts", folder.path], exitCode: 4)
        #expect(lines.first?.hasPrefix("main.lua:2: attempt to index a nil value") == true)
        #expect(lines.dropFirst().first == "    2 | return words.hello")
    }

    @Test("4: a scripts' folder that is not there, is a file, or holds no script")
    func noFolder() throws {
        let folder = try folder(["file.lua": "", "empty/readme.txt": ""])
        let rows = [
            ("/nowhere/scripts", "cannot be read: No such file or directory"),
            (folder.path + "/file.lua", "cannot be read: Not a directory"),
            (folder.path + "/empty", "the folder holds no script, not even main.lua"),
        ]
        for (path, message) in rows {
            let lines = try errorLines(Self.loopback + ["--scripts", path], exitCode: 4)
            #expect(lines == ["\(path): \(message)"])
        }
    }

    @Test("64: unknown words get a hint at known ones")
    func usage() throws {
        for arguments in [
            ["--colour"], ["dance"], ["serve", "--workers"], ["check", "a", "b"], ["config", "--default"],
        ] {
            let result = try PerigeeProgram.run(arguments)
            #expect(result.status == 64 && result.output == "", "\(arguments)")
            #expect(result.errors.hasPrefix("Error: ") && result.errors.contains("Usage: perigee"), "\(arguments)")
        }
    }
}

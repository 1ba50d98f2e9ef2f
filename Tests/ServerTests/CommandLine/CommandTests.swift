// The commands that start nothing: check, config, version, help.

import PerigeeTestKit
import Settings
import Testing

@testable import Server

@Suite("Command line: check, config, version", .plainOnly("starts no server"), .bounded)
struct CommandTests {
    /// Modules and tests are no scripts.
    @Test("check: counts scripts that load and exits with 0")
    func checkGood() throws {
        let folder = try TemporaryFolder()
        try folder.write("local words = require 'words'", to: "main.lua")
        try folder.write("function onMessage() end", to: "games/chess.lua")
        try folder.write("return {}", to: "lib/words.lua")
        try folder.write("error('this is not run')", to: "tests/main.lua")
        for arguments in [["check", "--scripts", folder.path], ["check", folder.path]] {
            let result = try PerigeeProgram.run(arguments)
            #expect(result.status == 0 && result.output == "2 scripts load\n" && result.errors == "")
        }
    }

    @Test("check: the scripts as shipped load")
    func checkShipped() throws {
        let folder = #filePath.dropLast("/Tests/ServerTests/CommandLine/CommandTests.swift".count) + "/Scripts"
        let result = try PerigeeProgram.run(["check", String(folder)])
        #expect(result.status == 0 && result.errors == "", "\(result.output)")
    }

    @Test("check: shows which pattern a channel meets, and all of its options")
    func checkChannel() throws {
        let folder = try TemporaryFolder()
        try folder.write("channels: {'ticker.*': {slow: conflate}, '*': {}}", to: "perigee.yaml")
        let result = try PerigeeProgram.run(
            ["check", "--config", folder.path + "/perigee.yaml", "--channel", "ticker.eur"])
        let lines = result.output.split(separator: "\n")
        #expect(result.status == 0)
        #expect(lines.prefix(2) == ["# the pattern 'ticker.*', more exact than '*'", "ticker.eur:"])
        #expect(lines.contains("  slow: conflate") && lines.contains("    size: 0"))
        #expect(try PerigeeProgram.run(["check", "--channel", ""]).status == 1)
    }

    @Test("check: every mistake with file and line and exit code 1")
    func checkBad() throws {
        let folder = try TemporaryFolder()
        try folder.write("function onMessage(conn)\n  conn:send(\nend", to: "main.lua")
        try folder.write("x = = 1", to: "echo.lua")
        let result = try PerigeeProgram.run(["check", folder.path])
        #expect(result.status == 1)
        let lines = result.output.split(separator: "\n")
        #expect(lines.contains { $0.hasPrefix("main.lua:3: ") } && lines.contains { $0.hasPrefix("echo.lua:1: ") })
        let missing = try PerigeeProgram.run(["check", "/nowhere"])
        #expect(missing.status == 1 && missing.output.hasPrefix("/nowhere: cannot be read"))
    }

    /// In this order; secrets are hidden.
    @Test("config: prints a loadable file of file, environment and flags")
    func config() throws {
        let folder = try TemporaryFolder()
        try folder.write(
            """
            workers: 3
            demo: false
            log: {level: debug}
            admin:
              keys:
                - {name: shop, key: top-secret-0123456789, scopes: [publish]}
            scripts:
              settings: {password: hunter2hunter2}
            """, to: "perigee.yaml")
        let environment = ["PERIGEE_WORKERS": "4", "PERIGEE_LOG_LEVEL": "error"]
        let result = try PerigeeProgram.run(
            ["config", "--config", folder.path + "/perigee.yaml", "--workers", "5"], environment: environment)
        #expect(result.status == 0 && result.errors == "")
        let lines = result.output.split(separator: "\n").map { $0.drop { $0 == " " } }
        for line in ["workers: 5", "demo: false", "level: error", "listen: 127.0.0.1:9080"] {
            #expect(lines.contains(line[...]), "\(line) is missing in\n\(result.output)")
        }
        #expect(!result.output.contains("top-secret") && !result.output.contains("hunter2"))
        #expect(result.output.contains("(hidden)"))
    }

    /// With --defaults it prints config/perigee.yaml.
    @Test("config: prints the defaults")
    func defaults() throws {
        let printed = try PerigeeProgram.run(["config"])
        #expect(printed.status == 0)
        let folder = try TemporaryFolder()
        try folder.write(printed.output, to: "printed.yaml")
        #expect(try Configuration.load(file: "\(folder.path)/printed.yaml") == Configuration())
        let documented = try PerigeeProgram.run(["config", "--defaults"])
        let file =
            #filePath.dropLast("/Tests/ServerTests/CommandLine/CommandTests.swift".count) + "/config/perigee.yaml"
        #expect(try ChildProcess.shell("cat '\(file)'").output == documented.output)
    }

    @Test("version: Perigee's and the linked Lua's")
    func version() throws {
        let result = try PerigeeProgram.run(["version"])
        #expect(result.status == 0 && result.errors == "")
        #expect(result.output.hasPrefix("perigee \(PerigeeVersion.text) (Lua 5.4"))
        #expect(try PerigeeProgram.run(["--version"]).output == PerigeeVersion.text + "\n")
    }

    @Test("help: names the commands and the exit codes")
    func help() throws {
        let result = try PerigeeProgram.run(["--help"])
        #expect(result.status == 0)
        for word in ["serve", "check", "config", "version", "Exit codes: 0 done"] {
            #expect(result.output.contains(word), "\(word)")
        }
    }
}

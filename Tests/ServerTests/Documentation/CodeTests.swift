// The code of README.md and the catalogue: every block says its language, and a test runs it or reads it as its reader would.
//
// Read next: CommandSandbox.swift, BrowserCodeTests.swift (js), ReadmeTests.swift (text).

import Foundation
import JSON
import PerigeeTestKit
import Settings
import Testing

@Suite("Documentation: code", .plainOnly("its commands speak plain HTTP"), .bounded)
struct CodeTests {
    private static func blocks(_ language: String) throws -> [CodeBlock] {
        try Documentation.pages().flatMap(\.code).filter { $0.language == language }
    }

    @Test("every block says its language, which is one that a test knows")
    func languages() throws {
        let blocks = try Documentation.pages().flatMap(\.code)
        for block in blocks {
            #expect(["sh", "lua", "yaml", "json", "js", "text"].contains(block.language), "\(block.place)")
        }
        #expect(blocks.count >= 35, "\(blocks.count) blocks")
    }

    // MARK: Commands

    @Test(
        "every command runs",
        arguments: try Documentation.pages().map(\.path))
    func commands(of path: String) throws {
        let blocks = try Documentation.Page(path).code.filter { $0.language == "sh" }
        guard !blocks.isEmpty else { return }
        let sandbox = try CommandSandbox()
        for block in blocks {
            let result = try sandbox.run(block.text)
            #expect(result.status == 0, "\(block.place)\n\(result.output)\n\(result.errors)")
        }
    }

    @Test("every make target in a command is one that 'make' lists")
    func commandsAreThere() throws {
        let lines = try Self.blocks("sh").flatMap { $0.text.split(separator: "\n") }
        #expect(lines.count >= 30, "\(lines.count) lines")
        for beginning in ["make run", "make test", "curl -d 'hello'", ".build/release/perigee check"] {
            #expect(lines.contains { $0.hasPrefix(beginning) }, "\(beginning)")
        }
        let makes = lines.compactMap { $0.firstMatch(of: #/^make ([a-z-]+)/#).map { String($0.1) } }
        let help = try ChildProcess.shell("make -s -C '\(Documentation.root)' help").output
        let targets = help.split(separator: "\n").map { String($0.prefix { $0 != " " }) }
        #expect(Set(makes).subtracting(targets) == [] && makes.count >= 10)
    }

    @Test("the commands of 'perigee' are those that the page shows")
    func subcommands() throws {
        let page = try Documentation.page("Operations.md")
        let block = try #require(page.code.first { $0.text.hasPrefix("perigee [serve]") })
        let shown = block.text.matches(of: #/(?m)^perigee \[?(\w+)/#).map { String($0.1) }
        let help = try PerigeeProgram.run(["--help"]).output
        let list = try #require(help.firstRange(of: "SUBCOMMANDS:\n"))
        let real = help[list.upperBound...].matches(of: #/(?m)^  ([a-z]+) /#).map { String($0.1) }
        #expect(Set(shown) == Set(real).subtracting(["help"]) && real.count >= 8)
    }

    // MARK: Files

    @Test("every Lua file passes the check and the tests among them pass")
    func lua() throws {
        var count = 0
        for (path, blocks) in Dictionary(grouping: try Self.blocks("lua"), by: \.page) {
            let named = try TemporaryFolder()
            for block in blocks {
                count += 1
                if let name = block.text.firstMatch(of: #/^-- Scripts\/(\S+\.lua)\n/#)?.1 {
                    try named.write(block.text, to: String(name))
                } else {
                    let folder = try TemporaryFolder()
                    try folder.write(block.text, to: "main.lua")
                    let check = try PerigeeProgram.run(["check", folder.path])
                    #expect(check.status == 0, "\(block.place)\n\(check.output)")
                }
            }
            let files = try FileManager.default.contentsOfDirectory(atPath: named.path)
            for command in files.isEmpty ? [] : ["check", "test"] {
                let result = try PerigeeProgram.run([command, named.path])
                #expect(result.status == 0, "\(path): \(command)\n\(result.output)")
            }
        }
        #expect(count >= 6, "\(count) blocks of Lua")
    }

    @Test("a mistake is reported as the page shows it")
    func mistake() throws {
        let page = try Documentation.page("ScriptingGuide.md")
        let shown = try #require(page.code.first { $0.text.hasPrefix("main.lua:7: ") }).text
        let line = try #require(shown.firstMatch(of: #/    7 \| (.*)\n/#)).1
        let folder = try TemporaryFolder()
        try folder.write("\n\n\n\n\nfunction onMessage(conn, message)\n\(line)\nend\n", to: "main.lua")
        #expect(try PerigeeProgram.run(["check", folder.path]).output == shown)
    }

    @Test("every YAML block is a configuration")
    func yaml() throws {
        let blocks = try Self.blocks("yaml")
        for block in blocks {
            let folder = try TemporaryFolder()
            try folder.write(block.text, to: "perigee.yaml")
            do {
                _ = try Configuration.load(file: "\(folder.path)/perigee.yaml")
            } catch {
                Issue.record("\(block.place): \(error)")
            }
        }
        #expect(blocks.count >= 6, "\(blocks.count) blocks of YAML")
    }

    @Test("every JSON block is JSON")
    func json() throws {
        let blocks = try Self.blocks("json")
        for block in blocks {
            for line in block.text.split(separator: "\n") {
                #expect(throws: Never.self, "\(block.place)") { try JSON(parsing: String(line)) }
            }
        }
        #expect(blocks.count >= 2)
    }
}

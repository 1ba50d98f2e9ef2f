// The tests of scripts, and the files of `perigee new`, without a process of their own.

import PerigeeTestKit
import ScriptTesting
import Scripting
import Settings
import Testing

@Suite("Tests of scripts", .bounded)
struct ScriptTestsTests {
    private static let echo = "function onMessage(conn, message) conn:send(message) end"
    private static let tests = """
        local app = t.load "main"
        t.test("echoes", function()
            local client = app:connect()
            client:send("hi")
            t.equal(client:take(), "hi")
        end)
        t.test("is wrong", function()
            t.equal(2, 1)
        end)
        """

    /// Runs `tests/a.lua` of a folder.
    private func run(_ test: String, filter: String? = nil) throws -> (totals: ScriptTests.Totals, lines: [String]) {
        let folder = try TemporaryFolder()
        try folder.write(Self.echo, to: "main.lua")
        try folder.write(test, to: "tests/a.lua")
        var configuration = Configuration()
        configuration.scripts.folder = folder.path
        var lines: [String] = []
        let totals = try ScriptTests.run(configuration, filter: filter) {
            lines += $0.split(separator: "\n").map(String.init)
        }
        return (totals, lines)
    }

    @Test("each test is counted and told, a failure with its line")
    func counts() throws {
        let (totals, lines) = try run(Self.tests)
        #expect(totals.passed == 1 && totals.failed == 1)
        #expect(lines.contains("ok   tests/a.lua: echoes"))
        #expect(lines.contains("FAIL tests/a.lua: is wrong (tests/a.lua:8)"), "\(lines)")
        #expect(lines.contains("         8 |     t.equal(2, 1)"), "\(lines)")
    }

    @Test("the filter chooses tests by a part of their names")
    func filter() throws {
        let (totals, lines) = try run(Self.tests, filter: "echoes")
        #expect(totals.passed == 1 && totals.failed == 0)
        #expect(lines == ["ok   tests/a.lua: echoes"])
    }

    @Test("a file that does not load is one failed test")
    func loadError() throws {
        let (totals, lines) = try run("error('no')")
        #expect(totals.passed == 0 && totals.failed == 1)
        #expect(lines.first == "FAIL tests/a.lua (tests/a.lua:1)", "\(lines)")
    }

    @Test("a check reads the tests too, without running them")
    func check() throws {
        let folder = try TemporaryFolder()
        try folder.write(Self.echo, to: "main.lua")
        try folder.write("tset(1)", to: "tests/a.lua")
        var configuration = Configuration()
        configuration.scripts.folder = folder.path
        let report = ScriptCheck.run(configuration)
        #expect(report.scriptCount == 1)
        #expect(report.errors.map(\.file) == ["tests/a.lua"], "\(report.errors)")
    }

    @Test("a new folder passes its own check and tests")
    func newProject() throws {
        let folder = try TemporaryFolder()
        let paths = try NewProject.write(to: folder.path)
        #expect(paths.contains("Scripts/main.lua") && paths.contains("perigee.yaml"))
        var configuration = Configuration()
        configuration.scripts.folder = folder.path + "/Scripts"
        #expect(ScriptCheck.run(configuration).errors.isEmpty)
        let totals = try ScriptTests.run(configuration, filter: nil) { _ in }
        #expect(totals.passed == 2 && totals.failed == 0)
    }
}

// The README's five minutes against the program: its lines at the start, the push and its answer, the edit that is live at
// once, and the mistake that changes nothing. DemoPageTests does in a browser what the reader does on the page.

import Foundation
import PerigeeTestKit
import Testing

@Suite("Documentation: five minutes", .plainOnly("its commands speak plain HTTP"), .bounded)
struct ReadmeTests {
    private let page: Documentation.Page

    init() throws { page = try Documentation.Page("README.md") }

    /// The one block of code that begins with this text.
    private func code(_ beginning: String) throws -> String {
        let found = page.code.filter { $0.text.hasPrefix(beginning) }
        try #require(found.count == 1, "\(found.count) blocks begin with \(beginning)")
        return found[0].text
    }

    /// The program with the scripts of the repository.
    private func withProgram(_ body: (PerigeeProcess) throws -> Void) throws {
        let folder = "\(Documentation.root)/Scripts"
        let names = try #require(FileManager.default.enumerator(atPath: folder)).compactMap { $0 as? String }
        var scripts: [String: String] = [:]
        for name in names where name.hasSuffix(".lua") {
            scripts[name] = try String(contentsOfFile: "\(folder)/\(name)", encoding: .utf8)
        }
        // A debug build is slow, and the machine may be slow, too.
        try body(try PerigeeProcess(scripts: scripts, environment: ["PERIGEE_SCRIPTS_BUDGET": "30s"]))
    }

    @Test("the start prints the lines that the README shows")
    func announcement() throws {
        let shown = try code("Perigee ")
        try withProgram { program in
            let printed = program.announcement.map { line in
                line.replacing(":\(program.clientPort)", with: ":8080")
                    .replacing(":\(program.adminPort)", with: ":9080") + "\n"
            }
            #expect(printed.joined() == shown)
        }
    }

    @Test("a push arrives, an edit is live at once, a mistake changes nothing")
    func fiveMinutes() throws {
        try withProgram { program in
            let client = try WebSocketClient.connect(port: program.clientPort, timeout: .seconds(20))
            _ = try client.receiveJSON()
            try client.send("hi")
            #expect(try client.receiveText() == "you said: hi")

            let curl = try code("curl -d 'hello' ").replacing("127.0.0.1:9080", with: "127.0.0.1:\(program.adminPort)")
            let answer = try ChildProcess.shell(curl.dropLast() + " -s")
            #expect(try client.receiveText() == "hello")
            let shown = try code(#"{"id":"#)
            #expect(Self.withoutNames(answer.output) == Self.withoutNames(shown.dropLast()))

            let source = try #require(program.folder.read("main.lua"))
            #expect(page.prose.contains(#"change `"you said: "` to `"I heard: "`"#))
            let edited = source.replacing("\"you said: \"", with: "\"I heard: \"")
            try program.folder.write(edited, to: "main.lua")
            #expect(page.prose.contains("`scripts reloaded` with `version=2`"))
            #expect(try program.process.errorLine(containing: "scripts reloaded").contains("version=2"))
            try client.send("hi")
            #expect(try client.receiveText() == "I heard: hi")

            try #require(edited.hasSuffix("\nend\n"))
            try program.folder.write(String(edited.dropLast("end\n".count)), to: "main.lua")
            let mistake = try code("error scripts not reloaded")
            let line = try program.process.errorLine(containing: "scripts not reloaded")
            #expect(line.contains(mistake.dropLast()), "\(line)")
            try client.send("hi")
            #expect(try client.receiveText() == "I heard: hi")
        }
    }

    /// An answer without the names that are new each time.
    private static func withoutNames(_ answer: some StringProtocol) -> String {
        String(answer).replacing(#/"(id|epoch)":"\w+"/#) { "\"\($0.1)\":\"\"" }
    }
}

extension TemporaryFolder {
    /// The text of a file; nil when it cannot be read.
    fileprivate func read(_ name: String) -> String? {
        try? String(contentsOfFile: "\(path)/\(name)", encoding: .utf8)
    }
}

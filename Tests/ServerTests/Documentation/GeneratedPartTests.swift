// The parts of the documentation that are made from tables: routes, errors, keys and the script API.

import Foundation
import Testing

@Suite("Documentation: parts that are made from tables", .bounded)
struct GeneratedPartTests {
    private static func parts() throws -> [GeneratedPart] {
        let definitions = try String(contentsOfFile: "\(Documentation.root)/Scripts/perigee.d.lua", encoding: .utf8)
        return [
            GeneratedPart(page: "AdminAPI.md", name: "routes", text: AdminDocumentation.routes),
            GeneratedPart(page: "AdminAPI.md", name: "errors", text: AdminDocumentation.errors),
            GeneratedPart(page: "Configuration.md", name: "keys", text: ConfigurationDocumentation.keys),
            GeneratedPart(
                page: "ScriptAPI.md", name: "definitions", text: ScriptDocumentation(definitions).text),
        ]
    }

    @Test("every part is as its table makes it (PERIGEETEST_WRITE=1 writes it)")
    func parts() throws {
        for part in try Self.parts() {
            let page = try Documentation.page(part.page)
            let range = try #require(part.range(in: page.text), "\(part.page) lacks the comments of '\(part.name)'")
            guard page.text[range] != part.text else { continue }
            let isWritten = ProcessInfo.processInfo.environment["PERIGEETEST_WRITE"] != nil
            #expect(isWritten, "\(part.page): '\(part.name)' is not as its table makes it")
            if isWritten {
                let text = page.text.replacingCharacters(in: range, with: part.text)
                try text.write(toFile: "\(Documentation.root)/\(page.path)", atomically: true, encoding: .utf8)
            }
        }
    }

    @Test("no page has a part that nothing makes")
    func strays() throws {
        let begun = try Documentation.pages().flatMap { page in
            page.text.matches(of: #/<!-- begin (\w+):/#).map { "\(page.path) \($0.1)" }
        }
        let made = try Self.parts().map { "\(Documentation.catalogue)/\($0.page) \($0.name)" }
        #expect(begun.sorted() == made.sorted() && begun.count >= 4)
    }

    @Test("the script API has every function of perigee.d.lua, once")
    func functions() throws {
        let source = try String(contentsOfFile: "\(Documentation.root)/Scripts/perigee.d.lua", encoding: .utf8)
        let functions = source.matches(of: #/(?m)^function ([\w.:]+)\(/#).map { String($0.1) }
        let headings = ScriptDocumentation(source).text.matches(of: #/(?m)^### `([\w.:]+)\(/#)
            .map { String($0.1) }
        #expect(functions.allSatisfy { name in headings.count { $0 == name } == 1 })
        #expect(functions.count >= 60)
    }
}

// The page "Contributing" against the sources: its list of files for a Lua function is where such functions are.

import Foundation
import Testing

@Suite("Documentation: Contributing", .bounded)
struct ContributingTests {
    /// The text of a section of the page.
    private func section(_ title: String) throws -> Substring {
        let page = try Documentation.page("Contributing.md").text
        let start = try #require(page.firstRange(of: "\n## \(title)\n"), "\(title)")
        let rest = page[start.upperBound...]
        return rest[..<(rest.firstRange(of: "\n## ")?.lowerBound ?? rest.endIndex)]
    }

    /// The files to which a text links, from the root; folders and other pages are left out.
    private func files(in text: Substring) -> Set<String> {
        let names = text.matches(of: #/\]\(\.\./\.\./([^)]+\.\w+)\)/#).map { String($0.1) }
        return Set(names.map { $0.hasPrefix("../") ? String($0.dropFirst(3)) : "Sources/\($0)" })
    }

    /// The product's C, Swift and Lua files, from the root, and their texts. Links to files are left out.
    private func sources() throws -> [(path: String, text: String)] {
        let root = Documentation.root
        let names = try #require(FileManager.default.enumerator(atPath: "\(root)/Sources")).compactMap { $0 as? String }
        let paths = ["Scripts/perigee.d.lua"] + names.map { "Sources/\($0)" }
        return try paths.filter { path in
            guard [".c", ".h", ".swift", ".lua"].contains(where: path.hasSuffix) else { return false }
            return try FileManager.default.attributesOfItem(atPath: "\(root)/\(path)")[.type] as? FileAttributeType
                == .typeRegular
        }.map { ($0, try String(contentsOfFile: "\(root)/\($0)", encoding: .utf8)) }
    }

    @Test(
        "a function of server is in the files that the page lists",
        arguments: [
            #"\bserver_disconnect\b|\bscriptHostDisconnect\b|func disconnect\(\s*id |function server\.disconnect\("#,
            #"\bserver_broadcast\b|\bscriptHostBroadcast\b|func broadcast\(\s*_ |function server\.broadcast\("#,
        ])
    func luaFunction(_ pattern: String) throws {
        let expression = try Regex(pattern)
        let found = try sources().filter { $0.text.contains(expression) }.map(\.path)
        let section = try section("Add a Lua function")
        #expect(Set(found) == files(in: section))
        let steps = section.split(separator: "\n\n").filter { $0.contains(#/(?m)^\d\. /#) }
        #expect(Set(steps.flatMap { files(in: $0) }).count == 5)
    }

    /// The functions of a text, as `publish(channel:_:binary:)`.
    private func functions(in text: Substring) -> Set<String> {
        let names = text.matches(of: #/func (\w+)\(/#).map { match in
            var depth = 1
            var parameters = [""]
            for character in text[match.range.upperBound...] {
                if "([".contains(character) { depth += 1 }
                if ")]".contains(character) { depth -= 1 }
                if depth == 0 { break }
                if depth == 1 && character == "," {
                    parameters.append("")
                } else {
                    parameters[parameters.count - 1].append(character)
                }
            }
            let labels = parameters.compactMap { $0.split(whereSeparator: { " \n:".contains($0) }).first }
            return "\(match.1)(\(labels.map { "\($0):" }.joined()))"
        }
        return Set(names)
    }

    @Test("perigee test answers every function of the host but these")
    func testHost() throws {
        let sources = try sources()
        var required: Set<String> = []
        for source in sources where source.path.hasPrefix("Sources/Scripting/Host/") {
            for part in source.text.matches(of: #/(?s)\npublic protocol \w+Host: AnyObject \{\n(.+?)\n\}\n/#) {
                required.formUnion(functions(in: part.1))
            }
        }
        let app = try #require(sources.first { $0.path == "Sources/ScriptTesting/TestApp.swift" }).text
        let requests = try #require(app.firstRange(of: "// MARK: Requests of scripts"))
        let answered = functions(in: app[requests.upperBound...])
        #expect(answered.subtracting(required) == [] && required.count >= 22)
        #expect(required.subtracting(answered) == ["queued(_:)", "slow(traceback:)"])
    }
}

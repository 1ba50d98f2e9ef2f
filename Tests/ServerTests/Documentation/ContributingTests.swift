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
        #expect(steps.reduce(into: Set()) { $0.formUnion(files(in: $1)) }.count == 5)
    }
}

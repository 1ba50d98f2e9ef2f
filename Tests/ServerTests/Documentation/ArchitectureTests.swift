// The page "Architecture" against the tree of Sources: its map names every folder, and its ways go through files that exist.

import Foundation
import Testing

@Suite("Documentation: Architecture", .bounded)
struct ArchitectureTests {
    private let page: String

    init() throws { page = try Documentation.page("Architecture.md").text }

    /// The lines of a section of the page.
    private func section(_ title: String) throws -> [Substring] {
        let start = try #require(page.firstRange(of: "\n## \(title)\n"), "\(title)")
        let rest = page[start.upperBound...]
        return rest[..<(rest.firstRange(of: "\n## ")?.lowerBound ?? rest.endIndex)].split(separator: "\n")
    }

    @Test("the map names each folder of Sources exactly once")
    func folders() throws {
        let sources = "\(Documentation.root)/Sources"
        let names = try #require(FileManager.default.enumerator(atPath: sources)).compactMap { $0 as? String }
        let folders = names.filter { name in
            var isFolder: ObjCBool = false
            _ = FileManager.default.fileExists(atPath: "\(sources)/\(name)", isDirectory: &isFolder)
            return isFolder.boolValue && !name.contains(".docc")
        }
        let named = try section("The map of Sources").compactMap { line in
            line.firstMatch(of: #/^\| \[`([^`]+)`\]\(\.\./\.\./([^)]+)\) \|/#).map { (String($0.1), String($0.2)) }
        }
        #expect(named.map(\.0).sorted() == folders.sorted() && folders.count >= 50)
        for (name, target) in named { #expect(name == target) }
    }

    /// Each file has the symbol of its step.
    @Test(
        "each way has no step back",
        arguments: [("A message", 14), ("A push", 12), ("A reload", 10)])
    func ways(_ title: String, _ least: Int) throws {
        var files: [String] = []
        for line in try section(title) where line.hasPrefix("| ") && !line.hasPrefix("| step") {
            let step = try #require(
                line.wholeMatch(of: #/\| (\d+) \| \[`([^`]+)`\]\(\.\./\.\./([^)]+)\) \| `([^`]+)` \| .+ \|/#), "\(line)"
            )
            files.append(String(step.2))
            #expect(step.1 == "\(files.count)" && step.2 == step.3)
            let text = try String(contentsOfFile: "\(Documentation.root)/Sources/\(step.2)", encoding: .utf8)
            #expect(text.contains(step.4), "\(step.2) lacks \(step.4)")
        }
        #expect(Set(files).count == files.count && files.count >= least, "\(files.count) steps")
    }
}

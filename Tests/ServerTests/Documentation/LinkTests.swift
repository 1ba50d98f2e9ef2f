// The links of README.md and the catalogue.

import Foundation
import Testing

@Suite("Documentation: links", .bounded)
struct LinkTests {
    private struct Link {
        let page: Documentation.Page
        let target: String
    }

    private static func links() throws -> [Link] {
        try Documentation.pages().flatMap { page in
            page.prose.matches(of: #/\]\(([^)\s]+)\)/#).map { Link(page: page, target: String($0.1)) }
        }
    }

    @Test("every relative link leads to a file, a folder or a heading")
    func targets() throws {
        var count = 0
        for link in try Self.links() where !link.target.contains("://") {
            count += 1
            let parts = link.target.split(separator: "#", omittingEmptySubsequences: false).map(String.init)
            let folder = link.page.path.split(separator: "/").dropLast().joined(separator: "/")
            let file = parts[0].isEmpty ? link.page.path : folder.isEmpty ? parts[0] : "\(folder)/\(parts[0])"
            let path = "\(Documentation.root)/\(file)"
            let isThere = FileManager.default.fileExists(atPath: path)
            #expect(isThere, "\(link.page.path): \(link.target)")
            guard isThere, parts.count > 1 else { continue }
            let headings = Self.anchors(try String(contentsOfFile: path, encoding: .utf8))
            #expect(headings.contains(parts[1]), "\(link.page.path): \(link.target)")
        }
        #expect(count >= 90, "\(count) links")
    }

    /// The names by which headings are linked: lower case, without signs, with hyphens for spaces.
    private static func anchors(_ text: String) -> Set<String> {
        Set(
            text.matches(of: #/(?m)^#+ (.*)$/#).map { heading in
                String(
                    heading.1.lowercased().compactMap { sign in
                        sign == " " ? "-" : sign.isLetter || sign.isNumber || sign == "-" || sign == "_" ? sign : nil
                    })
            })
    }

    @Test("the catalogue's first page links every other one")
    func contents() throws {
        let first = try Documentation.page("Perigee.md").text
        let others = try Documentation.pages().map { $0.path.split(separator: "/").last ?? "" }
            .filter { $0 != "README.md" && $0 != "Perigee.md" }
        for name in others { #expect(first.contains("](\(name))"), "\(name)") }
        #expect(others.count >= 11)
    }

    @Test("no line of prose stands on two pages")
    func repetitions() throws {
        var seen: [Substring: String] = [:]
        for page in try Documentation.pages() {
            // Short lines, and rows and headings of tables, may be alike.
            for line in page.prose.split(separator: "\n") where line.count > 60 && !line.hasPrefix("<!--") {
                if let other = seen.updateValue(page.path, forKey: line), other != page.path {
                    Issue.record("\(page.path) and \(other): \(line)")
                }
            }
        }
        #expect(seen.count >= 300, "\(seen.count) lines")
    }
}

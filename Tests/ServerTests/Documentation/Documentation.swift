// The documentation as tests read it: README.md and the pages of the catalogue, their code, and the parts of pages that are made
// from tables.

import Foundation

/// README.md and the catalogue `Documentation.docc`.
enum Documentation {
    /// The folder of Package.swift.
    static let root = String(#filePath.dropLast("/Tests/ServerTests/Documentation/Documentation.swift".count))
    /// The folder of the pages, from the root.
    static let catalogue = "Sources/perigee/Documentation.docc"

    /// A text, and where it is.
    struct Page {
        /// From the root.
        let path: String
        let text: String

        init(_ path: String) throws {
            self.path = path
            text = try String(contentsOfFile: "\(root)/\(path)", encoding: .utf8)
        }
    }

    /// README.md, and every page of the catalogue by name.
    static func pages() throws -> [Page] {
        let names = try FileManager.default.contentsOfDirectory(atPath: "\(root)/\(catalogue)")
        return try [Page("README.md")] + names.filter { $0.hasSuffix(".md") }.sorted().map { try page($0) }
    }

    /// One page of the catalogue.
    static func page(_ name: String) throws -> Page { try Page("\(catalogue)/\(name)") }
}

/// A block of code in a page.
struct CodeBlock {
    /// The page's path from the root.
    let page: String
    /// The line of the page, from 1, at which the block begins.
    let line: Int
    /// The word behind the fence; empty for none.
    let language: String
    let text: String

    var place: String { "\(page):\(line)" }
}

extension Documentation.Page {
    /// The blocks of code between fences, in their order.
    var code: [CodeBlock] {
        var blocks: [CodeBlock] = []
        var open: (line: Int, language: String, lines: [Substring])?
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            if let block = open, line == "```" {
                blocks.append(
                    CodeBlock(
                        page: path, line: block.line, language: block.language,
                        text: block.lines.map { $0 + "\n" }.joined()))
                open = nil
            } else if open != nil {
                open?.lines.append(line)
            } else if line.hasPrefix("```") {
                open = (index + 1, String(line.dropFirst(3)), [])
            }
        }
        return blocks
    }

    /// The text without its blocks of code.
    var prose: String {
        var isCode = false
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).filter { line in
            guard line.hasPrefix("```") else { return !isCode }
            isCode.toggle()
            return false
        }
        return lines.joined(separator: "\n")
    }
}

/// A part of a page, between two comments, that is made from a table of the program.
struct GeneratedPart {
    /// The page's name in the catalogue.
    let page: String
    let name: String
    let text: String

    private var beginning: String { "<!-- begin \(name): PERIGEETEST_WRITE=1 writes this part -->\n" }
    private var ending: String { "<!-- end \(name) -->\n" }

    /// Where the part is in the page; nil where its comments are missing.
    func range(in page: String) -> Range<String.Index>? {
        guard let first = page.firstRange(of: beginning),
            let last = page[first.upperBound...].firstRange(of: ending)
        else { return nil }
        return first.upperBound..<last.lowerBound
    }
}

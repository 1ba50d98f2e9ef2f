// The page "Script API", made from Scripts/perigee.d.lua: a heading for each table, type, function and handler, with the types and
// sentences of the annotations.
//
// Read next: LuaType.swift.

/// The definitions as Markdown.
struct ScriptDocumentation {
    private(set) var text = ""
    private var hasHandlers = false

    init(_ definitions: String) {
        var block: [Substring] = []
        for line in definitions.split(separator: "\n", omittingEmptySubsequences: false) + [Substring()] {
            if !line.isEmpty {
                block.append(line)
            } else {
                add(block)
                block = []
            }
        }
    }

    /// Adds lines that no empty line divides.
    private mutating func add(_ block: [Substring]) {
        guard let first = block.first, first != "---@meta perigee" else { return }
        if block.contains(where: { $0.hasPrefix("function ") }) { return addFunction(block) }
        if first.hasPrefix("-- ") { return addComment(block) }
        if block.contains(where: { $0.hasPrefix("---@class ") || $0.hasPrefix("---@type ") }) { return addClass(block) }
        if block.contains(where: { $0.hasPrefix("---@alias ") }) { addAlias(block) }
    }

    private mutating func add(paragraph: String) {
        if !paragraph.isEmpty { text += (text.isEmpty ? "" : "\n") + paragraph + "\n" }
    }

    private mutating func add(list items: [String]) {
        add(paragraph: items.map { "- \($0)" }.joined(separator: "\n"))
    }

    // MARK: Comments

    /// A comment for people; its indented lines are a table.
    private mutating func addComment(_ block: [Substring]) {
        var paragraph: [Substring] = []
        var table: [Substring] = []
        for line in block.map({ $0.dropFirst(2) }) + [Substring()] {
            if line.hasPrefix("     ") {
                table.append(line.dropFirst(5))
                continue
            }
            if !table.isEmpty {
                add(paragraph: "```text\n" + table.joined(separator: "\n") + "\n```")
                table = []
            }
            if line.isEmpty {
                add(paragraph: paragraph.joined(separator: " "))
                paragraph = []
            } else {
                paragraph.append(line.dropFirst())
            }
        }
    }

    /// The sentences of a block, as paragraphs.
    private func sentences(_ block: [Substring]) -> [String] {
        block.filter { $0.hasPrefix("--- ") || $0 == "---" }
            .split(separator: "---").map { $0.map { $0.dropFirst(4) }.joined(separator: " ") }
    }

    // MARK: Handlers and types

    private mutating func addAlias(_ block: [Substring]) {
        guard let line = block.first(where: { $0.hasPrefix("---@alias ") })?.dropFirst("---@alias ".count) else {
            return
        }
        let name = line.prefix { $0 != " " }
        let type = line.dropFirst(name.count + 1)
        guard name.hasPrefix("on") else {
            let further = block.filter { $0.hasPrefix("---| ") }.map { $0.dropFirst("---| ".count) }
            add(paragraph: "### `\(name)`")
            add(paragraph: "`\(([type] + further).filter { !$0.isEmpty }.joined(separator: " | "))`")
            return
        }
        if !hasHandlers { add(paragraph: "## Handlers") }
        hasHandlers = true
        let parameters = LuaType.parameters(ofFunction: type)
        add(paragraph: "### `\(name)(\(parameters.map(\.name).joined(separator: ", ")))`")
        sentences(block).forEach { add(paragraph: $0) }
        let result = LuaType.result(ofFunction: type)
        add(
            list: parameters.map { "`\($0.name)`: `\($0.type)`" }
                + (result.isEmpty ? [] : ["returns `\(result)`"]))
    }

    private mutating func addClass(_ block: [Substring]) {
        let name = block.first { $0.hasPrefix("---@class ") }?.dropFirst("---@class ".count) ?? ""
        let global = block.last.flatMap { line in
            line.hasSuffix(" = {}") && !line.hasPrefix("local ") ? line.dropLast(" = {}".count) : nil
        }
        let isSection = block.last?.hasSuffix(" = {}") == true
        add(paragraph: "\(isSection ? "##" : "###") `\(global ?? name.prefix { $0 != " " })`")
        sentences(block).forEach { add(paragraph: $0) }
        if let parent = name.firstRange(of: " : ") {
            add(paragraph: "It has the fields of `\(name[parent.upperBound...])`, too.")
        }
        add(
            list: block.filter { $0.hasPrefix("---@field ") }.map { entry($0.dropFirst("---@field ".count)) })
    }

    /// A name with its type and its sentence.
    private func entry(_ line: Substring) -> String {
        let name = line.prefix { $0 != " " }
        let (type, rest) = LuaType.take(line.dropFirst(name.count))
        return "`\(name)`: `\(type)`" + (rest.isEmpty ? "" : ". \(rest)")
    }

    // MARK: Functions

    private mutating func addFunction(_ block: [Substring]) {
        guard let line = block.last, let end = line.firstIndex(of: ")") else { return }
        let head = line[..<end].dropFirst("function ".count)
        add(paragraph: "### `\(head))`")
        sentences(block).forEach { add(paragraph: $0) }
        if block.contains("---@async") { add(paragraph: "It waits.") }
        let parameters = block.filter { $0.hasPrefix("---@param ") }.map { entry($0.dropFirst("---@param ".count)) }
        let results = block.filter { $0.hasPrefix("---@return ") }.map { line in
            let (type, rest) = LuaType.take(line.dropFirst("---@return ".count))
            let name = rest.prefix { $0 != " " }
            let words = rest.dropFirst(name.count)
            return "returns `\(type)`" + (name.isEmpty ? "" : " \(name)") + (words.isEmpty ? "" : ":\(words)")
        }
        add(list: parameters + results)
    }
}

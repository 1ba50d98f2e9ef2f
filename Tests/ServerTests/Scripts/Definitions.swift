// Reading a definition file of the Lua language server, as far as a test needs it.

/// The names that a definition file defines.
struct Definitions {
    /// "server", "server.publish()", "conn.id".
    private(set) var api: Set<String> = []
    private(set) var handlers: Set<String> = []
    /// The fields of each class, without "perigee.".
    private(set) var fields: [String: Set<String>] = [:]
    /// The methods of each class that is no global.
    private(set) var methods: [String: Set<String>] = [:]
    /// The functions that are marked `---@async`.
    private(set) var asynchronous: Set<String> = []
    /// Functions without a sentence above them.
    private(set) var undocumented: Set<String> = []

    init(_ text: String) {
        var name = ""
        var comment: [Substring] = []
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            if line.hasPrefix("---@class perigee.") {
                name = Self.word(line.dropFirst("---@class perigee.".count))
            } else if line.hasPrefix("---@field ") {
                fields[name, default: []].insert(Self.word(line.dropFirst("---@field ".count)))
            } else if line.hasPrefix("---@alias on") {
                handlers.insert(Self.word(line.dropFirst("---@alias ".count)))
            } else if line.hasSuffix(" = {}"), !line.hasPrefix("local ") {
                define(global: String(line.dropLast(" = {}".count)), of: name)
            } else if line.hasPrefix("function ") {
                define(function: line.dropFirst("function ".count).prefix { $0 != "(" }, comment)
            }
            comment = line.hasPrefix("---") ? comment + [line] : []
        }
        api.formUnion((fields["Conn"] ?? []).map { "conn.\($0)" })
        api.formUnion((methods["Conn"] ?? []).map { "conn.\($0)()" })
    }

    private mutating func define(global: String, of name: String) {
        api.insert(global)
        api.formUnion((fields[name] ?? []).map { "\(global).\($0)" })
    }

    private mutating func define(function: Substring, _ comment: [Substring]) {
        let function = String(function)
        if let colon = function.firstIndex(of: ":") {
            methods[String(function[..<colon]), default: []].insert(String(function[function.index(after: colon)...]))
        } else {
            api.insert(function + "()")
        }
        if comment.contains("---@async") { asynchronous.insert(function + "()") }
        let isLog = function.hasPrefix("log.")
        if !isLog, !comment.contains(where: { $0.hasPrefix("--- ") }) { undocumented.insert(function) }
    }

    private static func word(_ text: Substring) -> String {
        String(text.prefix { $0.isLetter || $0.isNumber || $0 == "_" })
    }
}

// The types of the Lua language server's annotations, as far as perigee.d.lua uses them.

/// Finds where a type ends.
enum LuaType {
    /// The type at the front of the text, and the rest of the text.
    static func take(_ text: Substring) -> (type: Substring, rest: Substring) {
        let text = text.drop { $0 == " " }
        var end = atom(text, from: text.startIndex)
        while let next = union(text, from: end) { end = atom(text, from: next) }
        return (text[..<end], text[end...].drop { $0 == " " })
    }

    /// The parameters of `fun(name: type, …): result`.
    static func parameters(ofFunction type: Substring) -> [(name: Substring, type: Substring)] {
        guard let open = type.firstIndex(of: "(") else { return [] }
        let list = type[type.index(after: open)..<type.index(before: bracket(type, from: open))]
        return parts(of: list).map { part in
            let name = part.prefix { $0 != ":" }
            return (name, part[name.endIndex...].dropFirst().drop { $0 == " " })
        }
    }

    /// The result of `fun(…): result`; empty for nothing.
    static func result(ofFunction type: Substring) -> Substring {
        guard let open = type.firstIndex(of: "(") else { return "" }
        return type[bracket(type, from: open)...].drop { $0 == ":" || $0 == " " }
    }

    /// Divides at the commas that are within no bracket.
    private static func parts(of list: Substring) -> [Substring] {
        var parts: [Substring] = []
        var start = list.startIndex
        var depth = 0
        for index in list.indices {
            switch list[index] {
            case "(", "<", "{": depth += 1
            case ")", ">", "}": depth -= 1
            case "," where depth == 0:
                parts.append(list[start..<index])
                start = list.index(after: index)
            default: break
            }
        }
        parts.append(list[start...])
        return parts.map { $0.drop { $0 == " " } }.filter { !$0.isEmpty }
    }

    /// Behind the `|` that follows; nil where none does.
    private static func union(_ text: Substring, from start: Substring.Index) -> Substring.Index? {
        let rest = text[start...].drop { $0 == " " }
        guard rest.first == "|" else { return nil }
        return rest.dropFirst().drop { $0 == " " }.startIndex
    }

    /// Behind one member of a union, with its suffixes: `table<string, any>[]?`.
    private static func atom(_ text: Substring, from start: Substring.Index) -> Substring.Index {
        var end = start
        if end < text.endIndex, text[end] == "\"" {
            end = text[text.index(after: end)...].firstIndex(of: "\"").map { text.index(after: $0) } ?? text.endIndex
            return end
        }
        while end < text.endIndex {
            switch text[end] {
            case "(", "<", "{", "[": end = bracket(text, from: end)
            case let sign where sign.isLetter || sign.isNumber || "._?".contains(sign): end = text.index(after: end)
            case ":" where text[start...].hasPrefix("fun("): return take(text[end...].dropFirst()).type.endIndex
            default: return end
            }
        }
        return end
    }

    /// Behind the bracket that closes the one at this place.
    private static func bracket(_ text: Substring, from open: Substring.Index) -> Substring.Index {
        var depth = 0
        for index in text[open...].indices {
            switch text[index] {
            case "(", "<", "{", "[": depth += 1
            case ")", ">", "}", "]": depth -= 1
            default: break
            }
            if depth == 0 { return text.index(after: index) }
        }
        return text.endIndex
    }
}

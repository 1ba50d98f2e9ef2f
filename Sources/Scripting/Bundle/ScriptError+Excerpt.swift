// The line of an error as a person wants to see it: with its number, and a mark below the name that it is about.
//
//     4 |     return nothing.field
//       |            ^^^^^^^

extension ScriptError {
    /// The text of the line with its number; the mark on a second line, where Lua names what it is about and the line has that
    /// once. `nil` when the line is not known.
    public var excerpt: String? {
        guard let line, let sourceLine else { return nil }
        let text = "\(line) | \(sourceLine)"
        guard let mark else { return text }
        // Tabs stay tabs, so that the mark stands below its name however wide they are.
        let indent = sourceLine.utf8.prefix(mark.lowerBound).map { $0 == UInt8(ascii: "\t") ? "\t" : " " }.joined()
        let gutter = String(repeating: " ", count: String(line).utf8.count)
        return text + "\n\(gutter) | " + indent + String(repeating: "^", count: mark.count)
    }

    /// The column of the name that the error is about, counted in bytes from 1.
    public var column: Int? { mark.map { $0.lowerBound + 1 } }

    /// Where the line has the first name that the message quotes, in bytes.
    private var mark: Range<Int>? {
        guard let sourceLine, let name = quotedName else { return nil }
        let (line, word) = (Array(sourceLine.utf8), Array(name.utf8))
        guard !word.isEmpty, line.count >= word.count, line.allSatisfy({ $0 < 0x80 }) else { return nil }
        let places = (0...(line.count - word.count)).filter { start in
            line[start..<(start + word.count)].elementsEqual(word)
                && !(Self.isLetter(word[0]) && start > 0 && Self.isLetter(line[start - 1]))
                && !(Self.isLetter(word[word.count - 1]) && start + word.count < line.count
                    && Self.isLetter(line[start + word.count]))
        }
        let fields = places.filter {
            $0 > 0 && (line[$0 - 1] == UInt8(ascii: ".") || line[$0 - 1] == UInt8(ascii: ":"))
        }
        let isField = ["field '", "method '"].contains { message.contains($0 + name) }
        let candidates = isField ? fields : places
        return candidates.count == 1 ? candidates[0]..<(candidates[0] + word.count) : nil
    }

    /// "x" of "attempt to index a nil value (local 'x')", "= " of "unexpected symbol near '='".
    private var quotedName: String? {
        guard let start = message.firstIndex(of: "'") else { return nil }
        let rest = message[message.index(after: start)...]
        guard let end = rest.firstIndex(of: "'") else { return nil }
        return String(rest[..<end])
    }

    private static func isLetter(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
            true
        default: false
        }
    }
}

// The members of a file's types, as far as their text tells them apart: which of them a test comes to.

/// A function or property with the lines before it, up to the blank one.
struct FileMember {
    private(set) var text = ""
    private var names: Set<Substring> { Self.declared(in: text) }
    private var words: Set<Substring> { Set(Self.words(of: text[...])) }

    /// The lines between blank lines, where the next line is indented no further than a member is.
    static func all(of file: String) -> [FileMember] {
        var members = [FileMember()]
        var isAfterBlank = false
        for line in file.split(separator: "\n", omittingEmptySubsequences: false) {
            if isAfterBlank, !line.isEmpty, indentation(of: line) <= 4 { members.append(FileMember()) }
            members[members.count - 1].text += line + "\n"
            isAfterBlank = line.isEmpty
        }
        return members
    }

    /// The members that declare `function`, those that these name, and so on.
    static func reached(from function: String, in members: [FileMember]) -> [FileMember] {
        let names = members.map(\.names)
        let words = members.map(\.words)
        var reached = Set(members.indices.filter { members[$0].text.contains("func \(function)(") })
        var next = reached
        while !next.isEmpty {
            let named = next.reduce(into: Set<Substring>()) { $0.formUnion(words[$1]) }
            next = Set(members.indices.filter { !names[$0].isDisjoint(with: named) }).subtracting(reached)
            reached.formUnion(next)
        }
        return reached.sorted().map { members[$0] }
    }

    private static func declared(in text: String) -> Set<Substring> {
        var names: Set<Substring> = []
        for line in text.split(separator: "\n") where indentation(of: line) <= 4 {
            let words = words(of: line)
            for (word, name) in zip(words, words.dropFirst()) where ["func", "let", "var"].contains(word) {
                names.insert(name)
            }
        }
        return names
    }

    private static func indentation(of line: Substring) -> Int { line.prefix { $0 == " " }.count }

    private static func words(of text: Substring) -> [Substring] {
        text.split { !$0.isLetter && !$0.isNumber && $0 != "_" }
    }
}

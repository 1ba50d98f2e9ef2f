// Reads YAML text into our tree. The only file that knows the parser (Yams, over libyaml).
//
// A configuration needs neither anchors and aliases, which can make a small file mean a huge value, nor tags; they are
// refused. The parser would expand aliases while it parses, so the text it gets has none: every `*` is replaced by a
// character that the text does not contain. A plain scalar never begins with `*`, so a plain scalar that begins with
// the stand-in was an alias; anywhere else it is turned back.
//
// Read next: YAMLNode.swift

import Yams

/// Reads one YAML document.
struct YAMLReader {
    /// The mistakes; the rest of the document is read nonetheless.
    private(set) var mistakes: [YAMLMistake] = []
    private let standIn: Unicode.Scalar
    /// Mistakes beyond this many are not collected.
    private static let most = ConfigurationProblems.most + 1

    /// The document's value, nil when there is none or its syntax is broken, and all mistakes.
    static func read(_ text: String) -> (root: YAMLNode?, mistakes: [YAMLMistake]) {
        var reader = YAMLReader(standIn: unusedScalar(in: text))
        let root = reader.parse(text)
        return (root, reader.mistakes)
    }

    private init(standIn: Unicode.Scalar) {
        self.standIn = standIn
    }

    private mutating func parse(_ text: String) -> YAMLNode? {
        do {
            // The basic resolver guesses no types: each key decides whether a text means a number.
            let parser = try Parser(yaml: withoutAliases(text), resolver: .basic, encoding: .utf8)
            // Anchors live as long as the parser.
            return try withExtendedLifetime(parser) { try parser.singleRoot().flatMap { convert($0) } }
        } catch {
            mistakes.append(mistake(from: error, in: text))
            return nil
        }
    }

    private mutating func convert(_ node: Yams.Node) -> YAMLNode? {
        let position = node.mark.map { YAMLNode.Position(line: $0.line, column: $0.column) }
        if let refusal = refusal(of: node) {
            refuse(refusal, at: position)
            return nil
        }
        switch node {
        case .scalar(let scalar):
            return YAMLNode(
                .text(restored(scalar.string), isPlain: scalar.style == .plain && scalar.tag.rawValue.isEmpty),
                at: position)
        case .sequence(let sequence):
            return YAMLNode(.list(sequence.compactMap { convert($0) }), at: position)
        case .mapping(let mapping):
            return YAMLNode(.map(mapping.compactMap { entry($0, $1) }), at: position)
        case .alias:
            return nil
        }
    }

    private mutating func entry(_ name: Yams.Node, _ value: Yams.Node) -> YAMLNode.Entry? {
        guard let key = convert(name), let value = convert(value) else { return nil }
        guard case .text(let text, _) = key.content else {
            refuse("the name of an entry must be a text", at: key.position)
            return nil
        }
        return YAMLNode.Entry(name: text, position: key.position, value: value)
    }

    private mutating func refuse(_ message: String, at position: YAMLNode.Position?) {
        if mistakes.count < Self.most { mistakes.append(YAMLMistake(message: message, position: position)) }
    }

    private func refusal(of node: Yams.Node) -> String? {
        if node.anchor != nil { return "anchors (&) are not supported" }
        if case .scalar(let scalar) = node, scalar.style == .plain, scalar.string.unicodeScalars.first == standIn {
            return "aliases (*) are not supported; a text that begins with * needs quotes"
        }
        let harmless: [Tag.Name] = [.implicit, .str, .seq, .map]
        return harmless.contains { $0.rawValue == tag(of: node) } ? nil : "tags (!) are not supported"
    }

    /// The tag as it was given. A node's own `tag` would resolve it, and so forget whether it was.
    private func tag(of node: Yams.Node) -> String {
        switch node {
        case .scalar(let scalar): scalar.tag.rawValue
        case .sequence(let sequence): sequence.tag.rawValue
        case .mapping(let mapping): mapping.tag.rawValue
        case .alias(let alias): alias.tag.rawValue
        }
    }

    private func withoutAliases(_ text: String) -> String {
        var scalars = String.UnicodeScalarView()
        for scalar in text.unicodeScalars.drop(while: { $0 == "\u{FEFF}" }) {
            scalars.append(scalar == "*" ? standIn : scalar)
        }
        return String(scalars)
    }

    private func restored(_ text: String) -> String {
        var scalars = String.UnicodeScalarView()
        for scalar in text.unicodeScalars { scalars.append(scalar == standIn ? "*" : scalar) }
        return String(scalars)
    }

    /// A character that the text does not contain: one of a million, each four bytes long, so a text of the permitted
    /// size lacks some.
    private static func unusedScalar(in text: String) -> Unicode.Scalar {
        guard text.utf8.contains(UInt8(ascii: "*")) else { return "*" }
        let used = Set(text.unicodeScalars.lazy.filter { $0.value >= 0xE000 })
        let candidates = [0xE000...0xF8FF, 0x10000...0x10FFFF] as [ClosedRange<UInt32>]
        return candidates.joined().lazy.compactMap(Unicode.Scalar.init).first { !used.contains($0) }!
    }

    private func mistake(from error: any Error, in text: String) -> YAMLMistake {
        switch error as? YamlError {
        case .scanner(_, let problem, let mark, _)?, .parser(_, let problem, let mark, _)?,
            .composer(_, let problem, let mark, _)?:
            YAMLMistake(message: problem, position: .init(line: mark.line, column: mark.column))
        case .duplicatedKeysInMapping(let names, let context)?:
            YAMLMistake(
                message: "given more than once: " + names.map { "'\(restored($0))'" }.joined(separator: ", "),
                position: .init(line: context.mark.line, column: context.mark.column))
        case .reader(let problem, let offset?, _, _)?:
            YAMLMistake(message: problem, position: position(of: offset, in: text))
        case .reader(let problem, nil, _, _)?:
            YAMLMistake(message: problem, position: nil)
        case .no?, .memory?, .writer?, .emitter?, .representer?, .dataCouldNotBeDecoded?, nil:
            YAMLMistake(message: "\(error)", position: nil)
        }
    }

    private func position(of offset: Int, in text: String) -> YAMLNode.Position {
        let lines = text.prefix(offset).split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
        return YAMLNode.Position(line: lines.count, column: (lines.last?.count ?? 0) + 1)
    }
}

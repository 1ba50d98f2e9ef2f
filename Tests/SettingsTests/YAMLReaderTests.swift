// YAML that is broken, hostile or more than a configuration needs.

import Testing
import TimeBound

@testable import Settings

@Suite("YAML of the configuration", .bounded)
struct YAMLReaderTests {
    @Test(
        "a mistake in the syntax is one problem with its line and column",
        arguments: [
            ("listen: [", "2:1: did not find expected node content"),
            ("a: b: c", "1:5: mapping values are not allowed in this context"),
            ("demo: true\n\tworkers: 1", "2:1: found a tab character that violates indentation"),
            ("demo: \"true", "1:12: found unexpected end of stream"),
            ("demo: true\n---\nworkers: 1", "2:1: but found another document"),
            ("demo: true\nwork\u{1}ers: 1", "2:5: control characters are not allowed"),
            ("demo: true\n}", "2:1: did not find expected key"),
        ])
    func syntax(yaml: String, problem: String) {
        let lines = configurationProblems(yaml, flags: [("workers", "many")])
        #expect(lines.count == 2)
        #expect(lines.first == "perigee.yaml:" + problem)
    }

    @Test("a key that is given twice is a problem")
    func duplicates() {
        #expect(
            configurationProblems("demo: true\nworkers: 1\ndemo: false") == [
                "perigee.yaml:1:1: given more than once: 'demo'"
            ])
        #expect(
            configurationProblems("log: {level: info}\nlog: {level: info}") == [
                "perigee.yaml:1:1: given more than once: 'log'"
            ])
        #expect(
            configurationProblems("log: {level: info}\nlog.level: info") == [
                "perigee.yaml:2:1: log.level: given more than once"
            ])
        #expect(configurationProblems("scripts: {settings: {a: 1, \"a\": 2}}").count == 1)
    }

    /// The rest is read.
    @Test("anchors, aliases and tags are refused")
    func refused() {
        let text = """
            log: &anchor {level: loud}
            kv: *anchor
            websocket:
              maxChannels: !number 1
              maxQueue: '*'
              <<: *anchor
            *anchor : x
            workers: *
            """
        let size = "a size from 1 KiB to 1 GiB, in B, KiB, MiB or GiB"
        #expect(
            configurationProblems(text) == [
                "perigee.yaml:1:6: anchors (&) are not supported",
                "perigee.yaml:2:5: aliases (*) are not supported; a text that begins with * needs quotes",
                "perigee.yaml:4:16: tags (!) are not supported",
                "perigee.yaml:6:7: aliases (*) are not supported; a text that begins with * needs quotes",
                "perigee.yaml:7:1: aliases (*) are not supported; a text that begins with * needs quotes",
                "perigee.yaml:8:10: aliases (*) are not supported; a text that begins with * needs quotes",
                "perigee.yaml:5:13: websocket.maxQueue is \"*\"; allowed: \(size)",
            ])
    }

    @Test("an asterisk inside a text is an asterisk")
    func asterisks() throws {
        let text = "scripts: {settings: {a: \"*x\", b: 2 * 3, c: '\u{E000}*\u{E001}', '*d': \u{E000}}} # *e *f"
        #expect(
            try loadConfiguration(text).scripts.settings.json
                == "{\"a\": \"*x\", \"b\": \"2 * 3\", \"c\": \"\u{E000}*\u{E001}\", \"*d\": \"\u{E000}\"}")
    }

    @Test("a bomb of aliases costs what its text costs", .timeLimit(.minutes(TimeBound.isSanitized ? 20 : 1)))
    func aliasBomb() {
        var text = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n"
        for level in 1...30 {
            let aliases = Array(repeating: "*a\(level - 1)", count: 9).joined(separator: ", ")
            text += "a\(level): &a\(level) [\(aliases)]\n"
        }
        text += "? *a30\n: x\n? [*a30, *a30]\n: y\n"
        #expect(
            configurationProblems(text).contains(
                "perigee.yaml:32:3: aliases (*) are not supported; a text that begins with * needs quotes"))
    }

    @Test(
        "a megabyte of any one shape is refused in time", .timeLimit(.minutes(TimeBound.isSanitized ? 20 : 1)),
        arguments: [
            "[", "{", "- ", "? ", "a: {", "\"", "&a ", "*a ", "!a ", "a: ", "- - ", "{? ", "[a: ", ",", "|\n ", "%",
            "\n",
        ])
    func monotony(shape: String) {
        let text = String(repeating: shape, count: ConfigurationFile.largest / shape.utf8.count)
        #expect(configurationProblems(text).isEmpty == (shape == "\n"))
    }

    @Test("a megabyte of unknown keys is refused in time", .timeLimit(.minutes(TimeBound.isSanitized ? 20 : 1)))
    func unknownKeys() {
        let text = (0..<80_000).map { "k\($0): 1\n" }.joined()
        #expect(configurationProblems(text).count == ConfigurationProblems.most + 1)
    }

    private let sample = """
        listen: "[::1]:8081" # *comment
        admin:
          keys: [{name: shop, key: 'correct-horse-battery', scopes: [publish]}]
        scripts:
          settings:
            text: |
              *two
              lines
            deep: {a: [1, ~, "\\u00e9"]}
        websocket:
          subprotocols:
          - chat
        """

    @Test("a file that ends anywhere is taken or refused, never a trap")
    func everyPrefix() {
        let taken = (0...sample.unicodeScalars.count).count {
            checkRoundTrip(String(sample.unicodeScalars.prefix($0)))
        }
        #expect(taken >= 20)
    }

    @Test("any mixture of YAML is refused, or accepted and written again")
    func fuzz() {
        let pieces = [
            "listen: ", "admin:", "  keys:", "log: {level: debug}", "workers: 3", "scripts:", "  settings:", "    a: ",
            "[", "]", "{", "}",
            ", ", ": ", "- ", "? ", "&a ", "*a", "!t ", "'", "\"", "\\", "|\n", ">\n", "\n", "\n  ", "\n    ", "#", " ",
            "\t", "~", "1e5",
            "0x1f", "é", "\u{0}", "\u{1b}", "\u{2028}", "\u{E000}", "%YAML 1.2\n", "---\n", "...\n", "\r", "<<: ",
            "key: 0123456789abcdef",
            "name: x", "@", "`",
        ]
        var random = SeededGenerator(state: 0x5EED)
        let taken = (0..<3_000).count { _ in
            let count = Int.random(in: 1...24, using: &random)
            return checkRoundTrip((0..<count).map { _ in pieces.randomElement(using: &random)! }.joined())
        }
        #expect(taken >= 20)
    }

    @Test("any small change of a good file is taken or refused, never a trap")
    func mutations() {
        let good = Array(sample.unicodeScalars)
        let others = Array("[]{}:,-?&*!|>'\"%@`#\n\t ~0a\u{0}\u{FEFF}\u{E000}\u{10FFFF}".unicodeScalars)
        var random = SeededGenerator(state: 0xCAFE)
        let taken = (0..<2_000).count { _ in
            var scalars = good
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                let index = Int.random(in: 0..<scalars.count, using: &random)
                if Bool.random(using: &random) {
                    scalars.remove(at: index)
                } else {
                    scalars[index] = others.randomElement(using: &random)!
                }
            }
            var text = String.UnicodeScalarView()
            text.append(contentsOf: scalars)
            return checkRoundTrip(String(text))
        }
        #expect(taken >= 100)
    }

    /// Whether the text is taken; then it can be written and taken again.
    private func checkRoundTrip(_ text: String) -> Bool {
        guard let configuration = try? loadConfiguration(text) else { return false }
        let written = configuration.render(showSecrets: true)
        #expect(
            (try? loadConfiguration(written)) == configuration,
            "\(text.debugDescription) became \(written.debugDescription)")
        return true
    }
}

/// A small generator with a seed (xorshift), so that a failing run can be repeated.
private struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state
    }
}

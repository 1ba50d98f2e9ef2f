// The lines of a batch: a table, every split point, and random pieces beside a plain reference.

import SeededGenerator
import Testing

@testable import Admin

@Suite("Admin: the lines of a batch", .bounded)
struct BatchLinesTests {
    /// What the lines of a body are, in order; nil for one that is too long.
    private static func read(_ pieces: [[UInt8]], longest: Int) -> [String?] {
        var lines = BatchLines(longest: longest)
        var found: [String?] = []
        func take() {
            while true {
                switch lines.next() {
                case .line(let range): found.append(String(decoding: lines.bytes[range], as: UTF8.self))
                case .tooLong: found.append(nil)
                case .needMore: return
                }
            }
        }
        for piece in pieces {
            piece.withUnsafeBytes { lines.append($0) }
            take()
            #expect(lines.bytes.count <= longest + piece.count + 1, "more than a line and a piece is kept")
        }
        lines.end()
        take()
        return found
    }

    /// Body → its lines, of at most four bytes.
    private static let table: [(body: String, lines: [String?])] = [
        ("", []), ("a", ["a"]), ("a\n", ["a"]), ("a\nb", ["a", "b"]), ("a\nb\n", ["a", "b"]), ("\n", [""]),
        ("\n\n", ["", ""]), ("a\r\nb", ["a\r", "b"]), ("abcd", ["abcd"]), ("abcd\n", ["abcd"]), ("abcde", [nil]),
        ("abcde\n", [nil]), ("abcdefghijkl\nb\n", [nil, "b"]), ("a\nabcdefgh", ["a", nil]),
        ("abcde\nfghij\nk", [nil, nil, "k"]),
    ]

    @Test("lines are the same wherever the body is cut", arguments: table.indices)
    func everySplit(row: Int) {
        let (body, lines) = Self.table[row]
        let bytes = Array(body.utf8)
        for first in 0...bytes.count {
            for second in first...bytes.count {
                let pieces = [bytes[..<first], bytes[first..<second], bytes[second...]].map(Array.init)
                #expect(Self.read(pieces, longest: 4) == lines, "\(body.debugDescription) cut at \(first), \(second)")
            }
        }
        #expect(Self.read(bytes.map { [$0] }, longest: 4) == lines)
    }

    @Test("random bodies in random pieces have the lines of a plain split", arguments: 1...300)
    func fuzz(seed: Int) {
        var random = SeededGenerator(seed: UInt64(seed))
        let longest = Int.random(in: 1...20, using: &random)
        let body = (0..<Int.random(in: 0...400, using: &random)).map { _ in
            random.oneIn(12) ? UInt8(ascii: "\n") : UInt8(ascii: "a") + UInt8.random(in: 0..<26, using: &random)
        }
        var pieces: [[UInt8]] = []
        var rest = body[...]
        while !rest.isEmpty {
            pieces.append(Array(rest.prefix(Int.random(in: 1...50, using: &random))))
            rest = rest.dropFirst(pieces[pieces.count - 1].count)
        }
        var expected = body.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).map {
            $0.count > longest ? nil : String(decoding: $0, as: UTF8.self)
        }
        if expected.last == "" { expected.removeLast() }
        #expect(Self.read(pieces, longest: longest) == expected, "seed \(seed)")
    }

    @Test("a line that never ends keeps no more than a line and a piece")
    func endless() {
        var lines = BatchLines(longest: 1_000)
        let piece = [UInt8](repeating: UInt8(ascii: "x"), count: 300)
        var tooLong = 0
        for _ in 0..<10_000 {
            piece.withUnsafeBytes { lines.append($0) }
            if lines.next() == .tooLong { tooLong += 1 }
            #expect(lines.bytes.count <= 1_301)
        }
        #expect(tooLong == 1)
    }
}

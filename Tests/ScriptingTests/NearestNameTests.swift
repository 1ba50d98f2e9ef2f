import Testing

@testable import Scripting

@Suite("the nearest name", .bounded)
struct NearestNameTests {
    @Test(
        "is the one with the fewest edits, of at most a third of its bytes",
        arguments: [
            ("sned", ["close", "send"], "send"), ("header", ["headers"], "headers"), ("powr", ["pow", "floor"], "pow"),
            ("exept", ["key", "except"], "except"), ("ONMESSAGE", ["onMessage"], "onMessage"),
            ("bat", ["cat", "hat"], "cat"), ("publsih", ["publish", "push"], "publish"),
            ("wörkers", ["workers"], "workers"),
            ("x", ["y"], nil), ("cat", ["dog"], nil), ("", ["a"], nil), ("workers", [], nil), ("xsned", ["close"], nil),
        ] as [(String, [String], String?)])
    func nearest(_ name: String, _ known: [String], _ expected: String?) {
        #expect(NearestName.of(name, among: known) == expected)
    }

    @Test("looks up names of any length among known names of at most 64 bytes")
    func long() {
        func letters(_ count: Int) -> String { String(repeating: "a", count: count) }
        #expect(NearestName.of(letters(63), among: [letters(64)]) == letters(64))
        #expect(NearestName.of(letters(96), among: [letters(64)]) == letters(64))
        #expect(NearestName.of(letters(64), among: [letters(65)]) == nil)
        for count in [97, 1_000, 100_000] { #expect(NearestName.of(letters(count), among: [letters(64)]) == nil) }
    }
}

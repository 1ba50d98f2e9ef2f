// Valid channel names, and their comparison.

import PubSub
import Testing

@Suite("Channel", .bounded)
struct ChannelTests {
    @Test(
        "accepts any text of 1 to 255 bytes",
        arguments: [
            "a", " ", "news", "chat/42", "a:b#c?d=e%", "Ünïcödé 🎉", "\u{A0}", "\u{FFFD}", "..", "\u{202E}x",
            String(repeating: "x", count: 255), String(repeating: "é", count: 127),
        ])
    func good(_ name: String) {
        #expect(Channel(name)?.name == name)
        #expect(bytes(Array(name.utf8))?.name == name)
    }

    @Test(
        "refuses empty names, names that are too long, and control characters",
        arguments: [
            "", "\u{0}", "a\u{0}b", "a\n", "\t", "\u{1F}", "\u{7F}", "\u{80}", "a\u{9F}", "\r\n",
            String(repeating: "x", count: 256), String(repeating: "é", count: 128),
        ])
    func bad(_ name: String) {
        #expect(Channel(name) == nil)
        #expect(bytes(Array(name.utf8)) == nil)
    }

    @Test(
        "refuses bytes that are not UTF-8",
        arguments: [[0xFF], [0x61, 0xC3], [0xC0, 0xAF], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80]] as [[UInt8]])
    func notUTF8(_ name: [UInt8]) {
        #expect(bytes(name) == nil)
    }

    @Test("compares names by bytes, even if Unicode calls them equivalent")
    func bytewise() throws {
        let composed = try #require(Channel("caf\u{E9}"))
        let decomposed = try #require(Channel("cafe\u{301}"))
        #expect(composed.name == decomposed.name, "so only the bytes can tell them apart")
        #expect(composed != decomposed)
        #expect(Set([composed, decomposed]).count == 2)
        #expect(Channel("caf\u{E9}") == composed)
        #expect(Channel("caf\u{E9}").hashValue == Optional(composed).hashValue)
    }

    private func bytes(_ bytes: [UInt8]) -> Channel? { bytes.withUnsafeBytes { Channel($0) } }
}

// Which names a channel may have, and when two names are one channel.

import PubSub
import Testing

@Suite("Channel", .bounded)
struct ChannelTests {
    @Test(
        "takes any text of 1 to 255 bytes",
        arguments: [
            "a", " ", "news", "chat/42", "a:b#c?d=e%", "Ünïcödé 🎉", "\u{A0}", "\u{FFFD}", "..", "\u{202E}x",
            String(repeating: "x", count: 255), String(repeating: "é", count: 127),
        ])
    func good(_ name: String) {
        #expect(Channel(name)?.name == name)
        #expect(bytes(Array(name.utf8))?.name == name)
    }

    @Test(
        "takes no empty name, none that is too long, and no control characters",
        arguments: [
            "", "\u{0}", "a\u{0}b", "a\n", "\t", "\u{1F}", "\u{7F}", "\u{80}", "a\u{9F}", "\r\n",
            String(repeating: "x", count: 256), String(repeating: "é", count: 128),
        ])
    func bad(_ name: String) {
        #expect(Channel(name) == nil)
        #expect(bytes(Array(name.utf8)) == nil)
    }

    @Test(
        "takes no bytes that are not UTF-8",
        arguments: [[0xFF], [0x61, 0xC3], [0xC0, 0xAF], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80]] as [[UInt8]])
    func notUTF8(_ name: [UInt8]) {
        #expect(bytes(name) == nil)
    }

    @Test("names that differ in their bytes are two channels, also when Unicode calls the texts equivalent")
    func bytewise() throws {
        let composed = try #require(Channel("caf\u{E9}"))
        let decomposed = try #require(Channel("cafe\u{301}"))
        #expect(composed.name == decomposed.name, "which is why it must be said")
        #expect(composed != decomposed)
        #expect(Set([composed, decomposed]).count == 2)
        #expect(Channel("caf\u{E9}") == composed)
        #expect(Channel("caf\u{E9}").hashValue == Optional(composed).hashValue)
    }

    private func bytes(_ bytes: [UInt8]) -> Channel? { bytes.withUnsafeBytes { Channel($0) } }
}

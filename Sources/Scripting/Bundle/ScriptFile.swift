// One Lua file of a bundle.

/// The source of a script or a module.
public struct ScriptFile: Sendable, Hashable {
    /// What it is known by: "chat", "games/chess", "main"; of a module what `require` asks for, "util" or "game/board".
    public let name: String
    /// Its place below the scripts' folder, as messages give it: "chat.lua", "lib/util.lua".
    public let path: String
    /// The text, without a byte order mark.
    public let source: String
    /// FNV-1a of the text: equal for equal text.
    public let hash: UInt64

    init(name: String, path: String, source: String) {
        self.name = name
        self.path = path
        self.source = source.hasPrefix("\u{FEFF}") ? String(source.dropFirst()) : source
        self.hash = Self.hash(of: self.source.utf8)
    }

    /// The text of a line, counted from 1.
    package func line(_ number: Int) -> String? {
        let lines = source.split(separator: "\n", maxSplits: number, omittingEmptySubsequences: false)
        guard number > 0, number <= lines.count else { return nil }
        return String(lines[number - 1])
    }

    static func hash(of bytes: some Sequence<UInt8>) -> UInt64 {
        bytes.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
    }
}

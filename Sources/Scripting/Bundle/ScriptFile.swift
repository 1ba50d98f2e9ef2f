// One Lua file of a bundle, and its place below the scripts' folder. A place is made from a given name, so it is
// checked: it cannot lie outside of the folder, be hidden, or name a file that is no script.

import LuaBridge

/// The source of a script or a module.
public struct ScriptFile: Sendable, Hashable {
    /// The name: "chat", "games/chess", "main"; for a module the name that `require` takes, "util" or "game/board".
    public let name: String
    /// The path below the scripts' folder, as in messages: "chat.lua", "lib/util.lua".
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

extension ScriptFile {
    /// Calls `body` with the source, which is valid for that long. `script` is its number, or -1 for a module.
    func withSource<Result>(script: Int32, _ body: (UnsafePointer<BridgeSource>) -> Result) -> Result {
        var text = source
        return text.withUTF8 { text in
            text.withMemoryRebound(to: CChar.self) { text in
                path.withCString { path in
                    name.withCString { name in
                        var empty: CChar = 0
                        return withUnsafePointer(to: &empty) { empty in
                            var source = BridgeSource(
                                script: script, file: path, name: name, bytes: text.baseAddress ?? empty,
                                count: text.count)
                            return body(&source)
                        }
                    }
                }
            }
        }
    }
}

/// The place of one file of a bundle.
public struct ScriptPath: Sendable, Hashable {
    private static let longest = 200

    /// "chat", "games/chess", "lib/util".
    public let name: String
    /// "chat.lua".
    public var file: String { name + ".lua" }

    /// Takes "games/chess" or "games/chess.lua"; nil when no script can have that name. Tests have no place, because
    /// they are not part of a bundle.
    public init?(_ text: String) {
        let name = text.hasSuffix(".lua") ? String(text.dropLast(4)) : text
        let parts = name.split(separator: "/", omittingEmptySubsequences: false)
        guard name.utf8.count <= Self.longest, Self.isUsable(name), parts.allSatisfy({ !$0.isEmpty }),
            parts.count <= FolderWalk.deepest + 1, parts[0] != "tests" || parts.count == 1, name != "lib"
        else { return nil }
        self.name = name
    }

    static func isUsable(_ name: String) -> Bool {
        name.utf8.allSatisfy {
            switch $0 {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "/"):
                true
            default:
                false
            }
        }
    }
}

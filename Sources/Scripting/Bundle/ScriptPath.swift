// Where a script or a module lies below the scripts' folder, made of a name that somebody gave: nothing that it names is
// outside of the folder, hidden, or no script.

/// The place of one file of a bundle.
public struct ScriptPath: Sendable, Hashable {
    private static let longest = 200

    /// "chat", "games/chess", "lib/util".
    public let name: String
    /// "chat.lua".
    public var file: String { name + ".lua" }

    /// Takes "games/chess" or "games/chess.lua"; nil when no script can have that name. Tests have none: they are not part
    /// of what runs.
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

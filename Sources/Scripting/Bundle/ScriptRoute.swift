// Which script serves which path.

/// A path of the clients' port and the script that serves it.
public struct ScriptRoute: Sendable, Hashable, CustomStringConvertible {
    /// "/chat", or "*" for every path that no other route names.
    public let path: String
    /// The script's name.
    public let script: String

    public var description: String { "\(path) → \(script)" }
}

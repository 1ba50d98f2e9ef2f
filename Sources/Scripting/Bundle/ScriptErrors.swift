// Everything that is wrong with a bundle.

/// The errors of all files, not just the first one's.
public struct ScriptErrors: Error, Sendable, CustomStringConvertible {
    /// At least one, in the order of the files, each once.
    public let errors: [ScriptError]

    package init(_ errors: [ScriptError]) {
        var seen: Set<ScriptError> = []
        self.errors = errors.filter { seen.insert($0).inserted }
    }

    /// Each error with its source line and traceback.
    public var description: String {
        errors.map(\.description).joined(separator: "\n")
    }
}

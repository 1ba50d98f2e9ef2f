// What a commit brought about.

/// The result of ``ScriptEngine/commit()``.
public struct CommitReport: Sendable {
    /// The version that runs now.
    public let version: UInt64
    /// The version that ran before, `nil` at the first commit.
    public let previousVersion: UInt64?
    /// Scripts that earlier versions had and this one has not; the connections they served are served by `main`, or by
    /// nothing if there is none.
    public let missingScripts: [String]
    /// What went wrong in `onStart` and `onReload`; the new version runs all the same.
    public let errors: [ScriptError]
    /// `onStart` and `onReload` handlers that wait.
    public let waiting: [ScriptTask]
}

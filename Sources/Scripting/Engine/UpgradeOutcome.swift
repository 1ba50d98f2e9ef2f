// What onUpgrade decided.

/// Whether a connection may come into being.
public enum UpgradeOutcome: Sendable {
    /// Answer 101, with the subprotocol that the script chose among those offered; without one the server chooses.
    case accept(subprotocol: String?)
    /// Answer with this status, from 300 to 599, and this body.
    case refuse(status: Int, body: String)
    /// The handler waits; ``ScriptEngine/resume(_:with:)`` tells what it decides.
    case waiting(ScriptTask)
    /// The handler raised; log it and refuse.
    case failed(ScriptError)
}

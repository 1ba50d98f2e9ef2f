// What a handler gets that has waited.

/// The end of a wait.
public enum WaitAnswer: Sendable {
    /// The time is over: in Lua `true`.
    case done
    /// It did not work: in Lua `nil` and the reason.
    case failed(String)
    /// What another server answered: in Lua a table.
    case response(ScriptResponse)
    /// There is no answer of another server: in Lua `nil`, a word for the reason, and what is known beyond it.
    case requestFailed(String, detail: String)
}

// What a handler gets that has waited.

/// The end of a wait.
public enum WaitAnswer: Sendable {
    /// The time is over: in Lua `true`.
    case done
    /// It did not work: in Lua `nil` and the reason.
    case failed(String)
}

// How an event ended.

/// What a handler's run means to the connection. A script with no handler for the event is done.
public enum EventOutcome: Sendable {
    /// The handler returned.
    case done
    /// `error{code = …, reason = …}`: close with this code, which an endpoint may send; the reason fits a close frame.
    case closeRequested(code: UInt16, reason: String)
    /// The handler waits; ``ScriptEngine/resume(_:with:)`` tells how it goes on.
    case waiting(ScriptTask)
    /// The handler raised; log it, the connection may go on.
    case failed(ScriptError)
}

// How an event went on that had waited.

/// The result of ``ScriptEngine/resume(_:with:)``.
public enum Resumption: Sendable {
    case event(SuspendedEvent, EventOutcome)
    /// An `onUpgrade` has decided, or failed.
    case upgrade(SuspendedEvent, UpgradeOutcome)
    /// An `onPublish`, `onRequest` or `onSubscribe` has answered, or failed.
    case reply(SuspendedEvent, ScriptReply)
}

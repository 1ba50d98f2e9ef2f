// How a server ended, for the process's exit code.

/// How a server ended.
public enum ServerEnd: Sendable {
    /// Every thread has ended.
    case complete
    /// A thread did not answer and was left behind: a script loops for ever.
    case stuck

    /// The process's exit code: 0, or 5 when a thread was left behind.
    public var exitCode: Int32 {
        switch self {
        case .complete: 0
        case .stuck: 5
        }
    }
}

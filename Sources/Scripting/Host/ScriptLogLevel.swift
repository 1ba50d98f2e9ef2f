// How much a script's log entry matters.

/// The level of `log.debug`, `log.info`, `log.warn` and `log.error`; `print` is `info`.
public enum ScriptLogLevel: Sendable {
    case debug
    case info
    case warning
    case error
}

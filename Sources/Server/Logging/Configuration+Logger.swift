// The logger that the configuration asks for.

public import Logging

extension Configuration {
    /// A logger that writes to stderr, in the configured format and from the configured level on.
    public func makeLogger() -> Logger {
        Logger(label: "perigee") { _ in LineLogHandler(log) }
    }
}

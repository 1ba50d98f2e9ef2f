// The logger that the configuration asks for.

public import Logging

extension Configuration {
    /// A logger that writes to the output, in the configured format and from the configured level on.
    public func makeLogger(to output: LogOutput) -> Logger {
        Logger(label: "perigee") { _ in LineLogHandler(log, to: output) }
    }
}

// The `log` section: the level of the log and its form.

public import LineLog
public import Logging

extension Configuration {
    /// The level of the log and its form.
    public struct Log: Sendable, Equatable {
        /// The least severe level that is written.
        public var level = Logger.Level.info
        /// How an entry is written.
        public var format = LogFormat.text
        /// Bytes that may wait to be written, 64 KiB to 1 GiB; beyond it entries are dropped and counted.
        public var maxQueue = 4 << 20

        /// The default of every key.
        public init() {}

        /// An output in this format, with this queue; see ``LogOutput``.
        public func makeOutput(descriptor: Int32 = 2, delaysCrashes: Bool = false) -> LogOutput {
            LogOutput(format: format, maxQueue: maxQueue, descriptor: descriptor, delaysCrashes: delaysCrashes)
        }

        /// A logger that writes entries of this level and of more severe ones to the output.
        public func makeLogger(to output: LogOutput) -> Logger {
            Logger(label: "perigee") { _ in LineLogHandler(level: level, to: output) }
        }
    }
}

extension Configuration.Log {
    static let section = ConfigurationSection("log", "The log, which goes to standard error.", keys: keys)

    private static let keys = [
        ConfigurationKey(
            "log.level", \.log.level, .choice([.trace, .debug, .info, .notice, .warning, .error]),
            "The least severe level that is written."),
        ConfigurationKey(
            "log.format", \.log.format, .choice,
            "text is a line for people: time, level, message, key=value fields. json is one object on each line."),
        ConfigurationKey(
            "log.maxQueue", \.log.maxQueue, .size((64 << 10)...(1 << 30)),
            """
            Bytes that may wait for a slow reader of the log. Beyond it entries are dropped, until half of it is written; the
            log then says how many.
            """),
    ]
}

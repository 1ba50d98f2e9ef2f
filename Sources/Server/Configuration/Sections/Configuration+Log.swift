// The `log` section: how much is logged, and how a line looks.

public import Logging

extension Configuration {
    /// What is logged, and in which format.
    public struct Log: Sendable, Equatable {
        /// The least severe level that is written.
        public var level = Logger.Level.info
        /// How an entry is written.
        public var format = Format.text
        /// What may wait to be written in bytes, 64 KiB to 1 GiB; beyond it entries are dropped and counted.
        public var maxQueue = 4 << 20

        /// The default of every key.
        public init() {}

        /// How an entry is written: a line for people, or a JSON object for programs.
        public enum Format: String, Sendable, CaseIterable {
            /// A line for people: time, level, message, `key=value` fields.
            case text
            /// One JSON object on one line.
            case json
        }
    }
}

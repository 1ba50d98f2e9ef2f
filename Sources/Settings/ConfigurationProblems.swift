// All problems of a configuration at once: an operator corrects them in one go.

/// Why a configuration is refused: every problem, in the order file, environment, command line, rules between keys.
public struct ConfigurationProblems: Error, Sendable, Equatable, CustomStringConvertible {
    /// The problems that were found, at least one and at most ``most``.
    public let problems: [Problem]
    /// The number of further problems.
    public let omitted: Int

    /// The most problems that are listed.
    static let most = 50

    /// One line for each problem.
    public var description: String {
        let lines = problems.map(\.description)
        return (omitted == 0 ? lines : lines + ["and \(omitted) more problems"]).joined(separator: "\n")
    }
}

extension ConfigurationProblems {
    /// One problem: its place, its key, the value that was given, the values that are allowed.
    public struct Problem: Sendable, Equatable, CustomStringConvertible {
        /// The layer and the place in it.
        public let source: Source
        /// The key, as in `admin.maxBody` or `admin.keys[0].scopes`; nil when the problem is the source as a whole.
        public let path: String?
        /// The problem as one line without control characters.
        public let message: String
        /// The value as given, at most 60 characters; nil when it is secret, or not the problem.
        public let given: String?
        /// The values that are allowed; nil when none is.
        public let allowed: String?

        /// `SOURCE: MESSAGE`, one line.
        public var description: String { "\(source): \(message)" }
    }

    /// The layer of a value and its place there.
    public enum Source: Sendable, Equatable, CustomStringConvertible {
        /// No layer: the default.
        case defaults
        /// The file, with the line and column where they are known, both from 1.
        case file(name: String, line: Int?, column: Int?)
        /// An environment variable.
        case environment(name: String)
        /// A flag of the command line.
        case flag

        /// `NAME:LINE:COLUMN`, the variable's name, or `command line`.
        public var description: String {
            switch self {
            case .defaults: "defaults"
            case .file(let name, let line?, let column?): "\(name):\(line):\(column)"
            case .file(let name, let line?, nil): "\(name):\(line)"
            case .file(let name, nil, _): name
            case .environment(let name): name
            case .flag: "command line"
            }
        }
    }
}

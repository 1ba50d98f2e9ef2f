// Everything that is wrong with a configuration, at once: an operator corrects it in one go.

/// Why a configuration is refused: every problem, in the order file, environment, command line, rules between keys.
public struct ConfigurationProblems: Error, Sendable, Equatable, CustomStringConvertible {
    /// The problems that were found, at least one and at most ``most``.
    public let problems: [Problem]
    /// How many more there were beyond ``most``.
    public let omitted: Int

    /// How many problems are told in full.
    static let most = 50

    /// One line for each problem.
    public var description: String {
        let lines = problems.map(\.description)
        return (omitted == 0 ? lines : lines + ["and \(omitted) more problems"]).joined(separator: "\n")
    }
}

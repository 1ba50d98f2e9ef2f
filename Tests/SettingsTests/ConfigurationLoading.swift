// The common parts of the tests of the configuration: loading a text as if it were a file, and its errors.

@testable import Settings

/// The configuration that a file with this text gives, below an environment and flags.
func loadConfiguration(
    _ yaml: String, environment: [String: String] = [:], flags: [(path: String, value: String)] = []
) throws(ConfigurationProblems) -> Configuration {
    var loader = ConfigurationLoader()
    loader.read(yaml: yaml, file: "perigee.yaml")
    loader.read(environment: environment)
    loader.read(flags: flags)
    return try loader.finish()
}

/// The lines that an operator reads; none when nothing is wrong.
func configurationProblems(
    _ yaml: String, environment: [String: String] = [:], flags: [(path: String, value: String)] = []
) -> [String] {
    do throws(ConfigurationProblems) {
        _ = try loadConfiguration(yaml, environment: environment, flags: flags)
        return []
    } catch {
        return error.description.split(separator: "\n").map(String.init)
    }
}

// The layers of a configuration, each above the one before: defaults, file, environment, command line.
//
// Read next: ConfigurationLoader.swift

extension Configuration {
    /// The effective configuration.
    ///
    /// - Parameters:
    ///   - file: The path of a YAML file of at most 1 MiB; nil for none. There is no file that is read unasked.
    ///   - environment: The process's variables; those that begin with `PERIGEE_` are ours, and an unknown one is a problem, but for
    ///     those that Kubernetes and Docker set for a Service or container of that name.
    ///   - flags: What the command line sets, as key path and text; the last of several for one key counts.
    /// - Throws: Everything that is wrong in any layer, at once.
    public static func load(
        file: String? = nil, environment: [String: String] = [:], flags: [(path: String, value: String)] = []
    ) throws(ConfigurationProblems) -> Configuration {
        var loader = ConfigurationLoader()
        if let file { loader.read(file: file) }
        loader.read(environment: environment)
        loader.read(flags: flags)
        return try loader.finish()
    }
}

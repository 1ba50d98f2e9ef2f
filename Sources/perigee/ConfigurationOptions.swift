// The options that every command shares: where the configuration comes from, and what overrides it.

import ArgumentParser
import Foundation
import Server
import Settings

/// Configuration file and overriding flags.
struct ConfigurationOptions: ParsableArguments {
    @Option(help: "Read this file (YAML; every key is in config/perigee.yaml).")
    var config: String?

    @Option(help: "Where clients connect, as HOST:PORT; port 0 picks a free one.")
    var listen: String?

    @Option(help: "Where the admin API listens, as HOST:PORT; port 0 picks a free one.")
    var admin: String?

    @Option(help: "The folder with the handler scripts.")
    var scripts: String?

    @Option(help: "How many worker threads; 0 for one per core.")
    var workers: String?

    @Option(help: "trace, debug, info, notice, warning or error.")
    var logLevel: String?

    /// The effective configuration, or the end of the process with every problem on its own line.
    func load() throws -> Configuration {
        let flags: [(path: String, value: String)] = [
            ("listen", listen), ("admin.listen", admin), ("scripts.folder", scripts), ("workers", workers),
            ("log.level", logLevel),
        ].compactMap { path, value in value.map { (path, $0) } }
        do {
            return try Configuration.load(
                file: config, environment: ProcessInfo.processInfo.environment, flags: flags)
        } catch {
            throw complaint("\(error)", exitCode: 2)
        }
    }
}

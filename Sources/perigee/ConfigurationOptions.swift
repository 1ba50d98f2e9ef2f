// The options of every command that reads the configuration, and `perigee config`, which prints it.
//
// Read next: Serve.swift.

import ArgumentParser
import Foundation
import Settings

/// The configuration file and the flags that override it.
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

    /// The effective configuration; throws the exit code after a line on stderr for each problem.
    func load() throws -> Configuration {
        let flags: [(path: String, value: String)] = [
            ("listen", listen), ("admin.listen", admin), ("scripts.folder", scripts), ("workers", workers),
            ("log.level", logLevel),
        ].compactMap { path, value in value.map { (path, $0) } }
        do {
            return try Configuration.load(
                file: config, environment: ProcessInfo.processInfo.environment, flags: flags)
        } catch {
            throw failure("\(error)", exitCode: 2)
        }
    }
}

/// `perigee config`: prints the configuration of the server.
struct Config: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Print the effective configuration (file, then environment, then flags), secrets hidden.")

    @OptionGroup var options: ConfigurationOptions

    @Flag(help: "Print the documented defaults instead: the text of config/perigee.yaml.")
    var defaults = false

    func run() throws {
        if defaults {
            print(Configuration.documented(), terminator: "")
        } else {
            print(try options.load().render(), terminator: "")
        }
    }
}

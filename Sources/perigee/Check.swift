// `perigee check`: is the configuration right, and do the scripts load? Nothing is started.

import ArgumentParser
import Scripting
import Server

struct Check: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Check configuration and scripts without starting anything; exit 1 if a script does not load.")

    @OptionGroup var options: ConfigurationOptions

    @Argument(help: "The folder with the scripts, if not the configured one.")
    var folder: String?

    func run() throws {
        var configuration = try options.load()
        if let folder { configuration.scripts.folder = folder }
        let report = ScriptCheck.run(configuration)
        guard report.errors.isEmpty else {
            for error in report.errors { print("\(error)") }
            throw ExitCode(1)
        }
        print("\(report.scriptCount) scripts load")
    }
}

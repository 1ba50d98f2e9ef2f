// `perigee check`: is the configuration right, are the certificates usable, and do the scripts load? Nothing is
// started.

import ArgumentParser
import Scripting
import Server
import Settings

struct Check: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Check configuration, certificates and scripts without starting anything; exit 1 if one is wrong.")

    @OptionGroup var options: ConfigurationOptions

    @Argument(help: "The folder with the scripts, if not the configured one.")
    var folder: String?

    func run() throws {
        var configuration = try options.load()
        if let folder { configuration.scripts.folder = folder }
        let certificates = CertificateCheck.run(configuration)
        if let mistake = certificates.mistake {
            print(mistake)
            throw ExitCode(1)
        }
        for warning in certificates.warnings { print(warning) }
        let report = ScriptCheck.run(configuration)
        guard report.errors.isEmpty else {
            for error in report.errors { print("\(error)") }
            throw ExitCode(1)
        }
        print("\(report.scriptCount) scripts load")
    }
}

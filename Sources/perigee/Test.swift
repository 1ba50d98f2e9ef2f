// `perigee test`: runs the scripts' own tests.

import ArgumentParser
import Scripting
import Server
import Settings

struct Test: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run the tests of the scripts (tests/*.lua) without a server; exit 1 if one fails.",
        discussion: """
            Each file runs in the sandbox of the scripts, against the scripts themselves, with clients, a clock and HTTP
            answers that it controls: local app = t.load "chat".
            """)

    @OptionGroup var options: ConfigurationOptions

    @Option(help: "Run only tests whose line, 'tests/FILE.lua: NAME', has this in it.")
    var filter: String?

    @Argument(help: "The folder with the scripts, if not the configured one.")
    var folder: String?

    func run() throws {
        var configuration = try options.load()
        if let folder { configuration.scripts.folder = folder }
        let totals: ScriptTests.Totals
        do throws(ScriptErrors) {
            totals = try ScriptTests.run(configuration, filter: filter) { print($0) }
        } catch {
            print("\(error)")
            throw ExitCode(1)
        }
        print("\(totals.passed) passed, \(totals.failed) failed")
        if totals.failed > 0 { throw ExitCode(1) }
    }
}

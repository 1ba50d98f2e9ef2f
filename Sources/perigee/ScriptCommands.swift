// The commands that need no running server: `perigee check`, `perigee test`, `perigee new`.
//
// Read next: ConfigurationOptions.swift.

import ArgumentParser
import PubSub
import ScriptTesting
import Scripting
import Server
import Settings

/// `perigee check`: checks the configuration, the certificates and the scripts.
struct Check: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Check configuration, certificates and scripts without a server; exit 1 if one is wrong.")

    @OptionGroup var options: ConfigurationOptions

    @Option(
        help: "Show which pattern of 'channels' this channel meets, and all of its options, and check nothing else.")
    var channel: String?

    @Argument(help: "The folder with the scripts, instead of the configured one.")
    var folder: String?

    func run() throws {
        var configuration = try options.load()
        if let channel { return try explain(channel, configuration) }
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

    private func explain(_ name: String, _ configuration: Configuration) throws {
        guard let channel = Channel(name) else {
            print("a channel's name has 1 to 255 bytes of UTF-8 and no control characters")
            throw ExitCode(1)
        }
        print(configuration.explanation(of: channel))
    }
}

/// `perigee test`: runs the scripts' own tests.
struct Test: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run the tests of the scripts (tests/*.lua) without a server; exit 1 if one fails.",
        discussion: """
            Each file runs in the sandbox of the scripts, against the scripts themselves, and controls their clients, clock
            and HTTP responses: local app = t.load "chat".
            """)

    @OptionGroup var options: ConfigurationOptions

    @Option(help: "Run only tests whose line, 'tests/FILE.lua: NAME', contains this.")
    var filter: String?

    @Argument(help: "The folder with the scripts, instead of the configured one.")
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

/// `perigee new`: writes a folder to start from.
struct New: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Write a folder with a handler, a test, definitions for editors and a configuration.",
        discussion: "perigee new shop && cd shop && perigee serve; then 'perigee test', and edit Scripts/main.lua.")

    @Argument(help: "The folder, which must be new or empty.")
    var name: String

    func run() throws {
        let paths: [String]
        do throws(NewProject.Failure) {
            paths = try NewProject.write(to: name)
        } catch {
            throw failure("\(error)", exitCode: 1)
        }
        for path in paths { print("\(name)/\(path)") }
        print("next: cd \(name) && perigee serve --config perigee.yaml")
    }
}

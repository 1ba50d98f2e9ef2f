// The commands that speak with a running server by its admin API: `perigee reload`, `perigee upgrade`.
//
// Read next: AdminClient.swift.

import Admin
import ArgumentParser
import Settings

/// `perigee reload`: makes the running server load its scripts, or return to earlier ones.
struct Reload: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Make the running server reload its scripts; print every error and exit 1 if they do not load.",
        discussion: """
            Give the server's own --config or --admin: the command finds it by its admin API. A reload that fails changes
            nothing. The server keeps the last five versions for --rollback, which does not change the files.
            """)

    @OptionGroup var options: ConfigurationOptions

    @OptionGroup var connection: AdminOptions

    @Flag(help: "Return to the previous version instead.")
    var rollback = false

    @Option(help: "Return to this version instead.", transform: { try Self.version($0) })
    var to: UInt64?

    func run() throws {
        let configuration = try options.load()
        let path = rollback || to != nil ? "/v1/scripts/rollback" : "/v1/scripts/reload"
        let query = to.map { "?version=\($0)" } ?? ""
        let answer: (status: Int, body: String)
        do throws(AdminFailure) {
            answer = try AdminClient(configuration, connection, patience: .seconds(30)).post(path + query)
        } catch {
            throw failure(error.message, exitCode: error.exitCode)
        }
        let report = ReloadAnswer(status: answer.status, body: answer.body)
        print(report.text)
        if !report.succeeded { throw ExitCode(1) }
    }

    private static func version(_ text: String) throws -> UInt64 {
        guard let version = UInt64(text) else { throw ValidationError("'\(text)' is not a version's number") }
        return version
    }
}

/// `perigee upgrade`: makes the running server start its program again and hand over to it.
struct Upgrade: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Make the running server hand over to a new process of its program; exit 1 if that fails.",
        discussion: """
            Give the server's own --config or --admin: the command finds it by its admin API. SIGUSR2 does the same.
            """)

    @OptionGroup var options: ConfigurationOptions

    @OptionGroup var connection: AdminOptions

    func run() throws {
        let configuration = try options.load()
        let patience = configuration.drain.handover + .seconds(10)
        let answer: (status: Int, body: String)
        do throws(AdminFailure) {
            answer = try AdminClient(configuration, connection, patience: patience).post("/v1/upgrade")
        } catch {
            throw failure(error.message, exitCode: error.exitCode)
        }
        guard answer.status == 200 else { throw failure(answer.body, exitCode: 1) }
        print(answer.body)
    }
}

// `perigee reload`: the running server loads its scripts anew, or goes back to earlier ones.

import ArgumentParser
import Server

struct Reload: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Let the running server load its scripts anew; exit 1, and every mistake, if they do not load.",
        discussion: """
            The server is found by its admin API: give the same --config or --admin as it has. A reload that fails changes
            nothing. The last five versions are kept for --rollback, which leaves the files as they are.
            """)

    @OptionGroup var options: ConfigurationOptions

    @Flag(help: "Go back to the version before instead.")
    var rollback = false

    @Option(help: "Go back to this version instead.", transform: { try Self.version($0) })
    var to: UInt64?

    func run() throws {
        let configuration = try options.load()
        let path = rollback || to != nil ? "/v1/scripts/rollback" : "/v1/scripts/reload"
        let query = to.map { "?version=\($0)" } ?? ""
        let answer: (status: Int, body: String)
        do throws(AdminRequest.Failure) {
            answer = try AdminRequest.post(path + query, configuration, patience: .seconds(30))
        } catch {
            throw complaint("\(error)", exitCode: 1)
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

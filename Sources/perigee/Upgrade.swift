// `perigee upgrade`: the running server starts its program anew and hands over to it.

import ArgumentParser
import Server
import Settings

struct Upgrade: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Let the running server hand over to a new process of its program; exit 1 if that fails.",
        discussion: """
            The server is found by its admin API: give the same --config or --admin as it has. It does the same for SIGUSR2.
            """)

    @OptionGroup var options: ConfigurationOptions

    func run() throws {
        let configuration = try options.load()
        let patience = configuration.drain.handover + .seconds(10)
        let answer: (status: Int, body: String)
        do throws(AdminRequest.Failure) {
            answer = try AdminRequest.post("/v1/upgrade", configuration, patience: patience)
        } catch {
            throw complaint("\(error)", exitCode: 1)
        }
        guard answer.status == 200 else { throw complaint(answer.body, exitCode: 1) }
        print(answer.body)
    }
}

// `perigee serve`: starts the server, says where everything is, and waits for signals.

import ArgumentParser
import Glibc
import Server

struct Serve: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run the server (the default).",
        discussion: """
            SIGHUP loads scripts and certificates anew. SIGTERM and SIGINT stop: clients get close code 1012, spread over
            drain.window; a second one stops at once. SIGUSR2 starts the program anew and hands over to it.
            """)

    @OptionGroup var options: ConfigurationOptions

    func run() throws {
        let host: HostProcess
        do throws(StartError) {
            host = try HostProcess.current()
        } catch {
            throw complaint("\(error)", exitCode: error.exitCode)
        }
        let configuration = try options.load()
        Server.raiseDescriptorLimit()
        let server: Server
        do throws(StartError) {
            server = try Server(configuration, log: configuration.makeLogger(), host: host)
        } catch {
            throw complaint("\(error)", exitCode: error.exitCode)
        }
        announce(server, configuration)
        let end = server.wait()
        guard case .complete = end else { throw ExitCode(end.exitCode) }
    }

    private func announce(_ server: Server, _ configuration: Configuration) {
        var lines = ["Perigee \(PerigeeVersion.text)"]
        lines.append("  clients    \(server.clientURL)")
        if configuration.demo && server.clientPort != 0 { lines.append("  demo page  \(server.pageURL)/") }
        lines.append("  admin API  \(server.adminSocket == nil ? server.adminURL : server.adminAddress)")
        for script in server.scripts {
            lines.append("  script     \(script.name).lua serves \(script.route)")
        }
        let socket = server.adminSocket.map { "--unix-socket \(Self.word($0)) " } ?? ""
        lines.append("  try        curl \(socket)-d 'hello' \(server.adminURL)/v1/channels/lobby/messages")
        for line in lines { print(line) }
        fflush(nil)
    }

    /// The text as one word of a shell's command line.
    private static func word(_ text: String) -> String {
        "'" + text.replacing("'", with: "'\\''") + "'"
    }
}

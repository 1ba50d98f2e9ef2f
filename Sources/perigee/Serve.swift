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

    /// What the end of the process waits for whoever reads its output and its log, together.
    private static let patience = Duration.seconds(1)

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
        let output = LogOutput(configuration.log, delaysCrashes: true)
        var outputs = [output]
        defer { LogOutput.flush(outputs, within: Self.patience) }
        let server: Server
        do throws(StartError) {
            server = try Server(configuration, log: configuration.makeLogger(to: output), logOutput: output, host: host)
        } catch {
            throw complaint("\(error)", exitCode: error.exitCode)
        }
        // A reader that stalls must not keep the process from ending, so not even this is written on the main thread.
        let announcement = LogOutput(configuration.log, descriptor: 1)
        announcement.write(lines(about: server, configuration))
        outputs.append(announcement)
        let end = server.wait()
        guard case .complete = end else { throw ExitCode(end.exitCode) }
    }

    /// Where everything is.
    private func lines(about server: Server, _ configuration: Configuration) -> String {
        var lines = ["Perigee \(PerigeeVersion.text)"]
        lines.append("  clients    \(server.clientURL)")
        if configuration.demo != .nobody && server.clientPort != 0 {
            lines.append("  demo page  \(server.pageURL)/")
        }
        lines.append("  admin API  \(server.adminSocket == nil ? server.adminURL : server.adminAddress)")
        for script in server.scripts {
            lines.append("  script     \(script.name).lua serves \(script.route)")
        }
        let socket = server.adminSocket.map { "--unix-socket \(Self.word($0)) " } ?? ""
        lines.append("  try        curl \(socket)-d 'hello' \(server.adminURL)/v1/channels/lobby/messages")
        return lines.map { $0 + "\n" }.joined()
    }

    /// The text as one word of a shell's command line.
    private static func word(_ text: String) -> String {
        "'" + text.replacing("'", with: "'\\''") + "'"
    }
}

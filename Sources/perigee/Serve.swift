// `perigee serve`: starts the server, prints its addresses, and waits for signals.
//
// Read next: Perigee.swift.

import ArgumentParser
import Glibc
import LineLog
import Server
import Settings

struct Serve: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run the server (the default).",
        discussion: """
            SIGHUP reloads scripts and certificates. SIGTERM and SIGINT stop: clients get close code 1012, spread over
            drain.window; a second signal stops at once. SIGUSR2 starts the program again and hands over to it.
            """)

    /// The time for which the end of the process waits for slow readers of its output and its log, together.
    private static let patience = Duration.seconds(1)

    @OptionGroup var options: ConfigurationOptions

    func run() throws {
        let host: HostProcess
        do throws(StartError) {
            host = try HostProcess.current()
        } catch {
            throw failure("\(error)", exitCode: error.exitCode)
        }
        let configuration = try options.load()
        Server.raiseDescriptorLimit()
        let output = configuration.log.makeOutput(delaysCrashes: true)
        var outputs = [output]
        defer { LogOutput.flush(outputs, within: Self.patience) }
        let server: Server
        do throws(StartError) {
            server = try Server(
                configuration, log: configuration.log.makeLogger(to: output), logOutput: output, host: host)
        } catch {
            throw failure("\(error)", exitCode: error.exitCode)
        }
        // A reader that stalls must not delay the end of the process, so the main thread does not write even these lines.
        let announcement = configuration.log.makeOutput(descriptor: 1)
        announcement.write(lines(about: server, configuration))
        outputs.append(announcement)
        let end = server.wait()
        guard case .complete = end else { throw ExitCode(end.exitCode) }
    }

    /// The lines that tell the server's addresses and scripts.
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

    /// The text as one word of a shell command.
    private static func word(_ text: String) -> String {
        "'" + text.replacing("'", with: "'\\''") + "'"
    }
}

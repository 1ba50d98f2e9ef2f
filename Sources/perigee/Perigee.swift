// The command line: its commands, and how one fails. Exit codes: 0 done, 1 `check` found mistakes or a running server did not do
// what a command asked for, 2 configuration or certificate, 3 an address that cannot be used, 4 scripts that do not load, 5 a
// script that did not end, 64 wrong usage.
//
// Read next: Serve.swift.

import ArgumentParser
import CLinux
import Glibc
import ScriptTesting
import Settings

@main
struct Perigee: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "perigee",
        abstract: "A WebSocket push server whose behaviour is written in Lua and changes while it runs.",
        discussion: """
            Exit codes: 0 done; 1 'check' found mistakes, or a running server did not do what a command asked for; 2 the
            configuration or a certificate is wrong; 3 an address cannot be used; 4 the scripts do not load; 5 a script did
            not end when the server stopped; 64 the command line is wrong.
            """,
        version: PerigeeVersion.text,
        subcommands: [
            Serve.self, Check.self, Test.self, New.self, Config.self, Reload.self, Upgrade.self, Version.self,
        ],
        defaultSubcommand: Serve.self)
}

/// `perigee version`.
struct Version: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Print the versions of Perigee and of the linked Lua.")

    func run() { print("perigee \(PerigeeVersion.text) (\(ScriptCheck.luaVersion))") }
}

/// Writes `text` to stderr, and returns the exit code to throw.
func failure(_ text: String, exitCode: Int32) -> ExitCode {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map { "perigee: \($0)\n" }
    let bytes = Array(lines.joined().utf8)
    // A reader that stalls must not keep the process from ending.
    _ = clinux_write_within(STDERR_FILENO, bytes, bytes.count, Int32(clinux_last_words_patience))
    return ExitCode(exitCode)
}

// How a command ends when it cannot do what it should: lines on stderr and an exit code, no stack trace.

import ArgumentParser
import CLinux
import Glibc

/// Writes `text` to stderr and makes the exit code of it.
func complaint(_ text: String, exitCode: Int32) -> ExitCode {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map { "perigee: \($0)\n" }
    let bytes = Array(lines.joined().utf8)
    // Whoever does not read this must not keep the process from ending.
    _ = clinux_write_within(STDERR_FILENO, bytes, bytes.count, Int32(clinux_last_words_patience))
    return ExitCode(exitCode)
}

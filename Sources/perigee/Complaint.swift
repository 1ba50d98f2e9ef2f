// How a command ends when it cannot do what it should: lines on stderr and an exit code, no stack trace.

import ArgumentParser
import Glibc

/// Writes `text` to stderr and makes the exit code of it.
func complaint(_ text: String, exitCode: Int32) -> ExitCode {
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
        let bytes = Array("perigee: \(line)\n".utf8)
        write(STDERR_FILENO, bytes, bytes.count)
    }
    return ExitCode(exitCode)
}

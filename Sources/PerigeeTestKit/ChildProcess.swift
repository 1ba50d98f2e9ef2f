// ChildProcess: a program that a test starts, in a process group of its own; its output and errors are read with a deadline. The
// whole group is killed when the last reference goes, however the test ends.
//
// Runs on: any thread, one at a time.
// Read next: Spawn.swift, StartedProcess.swift, Chromium.swift.

import Glibc

/// A running (or ended) program.
public final class ChildProcess {
    public var pid: Int32 { process.pid }
    /// The time that each wait may take.
    public var timeout: Duration

    private let output: Pipe
    private let errors: Pipe
    private var process: StartedProcess

    private init(pid: Int32, output: Pipe, errors: Pipe, timeout: Duration) {
        process = StartedProcess(pid: pid)
        self.output = output
        self.errors = errors
        self.timeout = timeout
    }

    deinit { kill() }

    /// Starts `program`, found in PATH, with empty standard input; `environment` is added to this process's variables.
    public static func start(
        _ program: String, _ arguments: [String] = [], environment: [String: String] = [:],
        timeout: Duration = .seconds(10)
    ) throws(ClientError) -> ChildProcess {
        let output = try Pipe()
        let errors = try Pipe()
        let pid = try Spawn(program, arguments, environment).run(output: output.writeEnd, errors: errors.writeEnd)
        output.closeWriteEnd()
        errors.closeWriteEnd()
        return ChildProcess(pid: pid, output: output, errors: errors, timeout: timeout)
    }

    /// Runs a line in `/bin/sh` to its end and returns its exit status (128 + signal after a signal), output and errors. In a run
    /// of tests over TLS, its curl trusts the test authority.
    public static func shell(
        _ line: String, timeout: Duration = .seconds(10)
    ) throws(ClientError) -> (status: Int32, output: String, errors: String) {
        let trust = testsRunOverTLS ? ["CURL_CA_BUNDLE": TestAuthority.shared.path] : [:]
        let shell = try start("/bin/sh", ["-c", line], environment: trust, timeout: timeout)
        let output = try shell.readOutputToEnd()
        let errors = try shell.readErrorsToEnd()
        return (try shell.wait(), output, errors)
    }

    /// The next line of standard output that contains `part`.
    public func outputLine(containing part: String) throws(ClientError) -> String {
        try line(of: output, containing: part)
    }

    /// The next line of standard error that contains `part`.
    public func errorLine(containing part: String) throws(ClientError) -> String {
        try line(of: errors, containing: part)
    }

    /// The rest of standard output, once every process of the group has closed it.
    public func readOutputToEnd() throws(ClientError) -> String {
        let bytes = try output.reader.readToEnd(for: "the end of standard output", by: Deadline(after: timeout))
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The rest of standard error, once every process of the group has closed it.
    public func readErrorsToEnd() throws(ClientError) -> String {
        let bytes = try errors.reader.readToEnd(for: "the end of standard error", by: Deadline(after: timeout))
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Empties the pipes, so that a program that writes much does not block on a full one.
    public func discardAvailable() {
        _ = output.reader.readAvailable()
        _ = errors.reader.readAvailable()
    }

    /// Sends a signal to the program alone.
    public func signal(_ number: Int32) { process.signal(number) }

    /// Waits for the end and returns the exit status, 128 + signal after a signal. The program's output stays for the reading
    /// calls.
    @discardableResult
    public func wait() throws(ClientError) -> Int32 { try process.wait(within: timeout) }

    /// Kills the whole process group and waits for its end; a second call does nothing.
    public func kill() {
        guard process.status == nil else { return }
        _ = Glibc.kill(-pid, SIGKILL)
        process.reap()
        // Each process of the group has the pipes' write ends open, so the pipes end with the last process.
        _ = try? readOutputToEnd()
        _ = try? readErrorsToEnd()
    }

    private func line(of pipe: Pipe, containing part: String) throws(ClientError) -> String {
        let deadline = Deadline(after: timeout)
        while true {
            let wanted = "a line with \"\(part)\""
            let bytes = try pipe.reader.read(until: [0x0A], limit: 1 << 20, for: wanted, by: deadline)
            let line = String(decoding: bytes.dropLast(), as: UTF8.self)
            if line.contains(part) { return line }
        }
    }
}

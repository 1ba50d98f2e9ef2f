// StartedProcess: the end of a process, awaited with a deadline: of a child, however it was started, or of any other process.
//
// Runs on: any thread, one at a time.
// Read next: ChildProcess.swift.

import CLinux
import Glibc

/// A child of this process.
public struct StartedProcess {
    public let pid: Int32
    /// Its exit status, 128 + signal after a signal; nil until the end has been awaited.
    public private(set) var status: Int32?

    public init(pid: Int32) { self.pid = pid }

    /// Sends a signal to the program alone, unless its end has been awaited.
    public func signal(_ number: Int32) {
        if status == nil { _ = kill(pid, number) }
    }

    /// Waits for the end and returns the exit status, 128 + signal after a signal.
    public mutating func wait(within time: Duration) throws(ClientError) -> Int32 {
        if let status { return status }
        try Self.awaitEnd(of: pid, within: time)
        return reap()
    }

    /// Waits until any process of this machine has ended; one that is gone already has.
    public static func awaitEnd(of pid: Int32, within time: Duration) throws(ClientError) {
        let descriptor = clinux_process_descriptor(pid)
        if descriptor == -ESRCH { return }
        guard descriptor >= 0 else { throw .system(call: "pidfd_open", code: -descriptor) }
        defer { close(descriptor) }
        guard try Deadline(after: time).wait(for: POLLIN, on: descriptor) else {
            throw .deadline(waitingFor: "process \(pid) to end", got: [])
        }
    }

    /// Waits for the end of a process that was killed.
    @discardableResult
    public mutating func reap() -> Int32 {
        if let status { return status }
        var raw: Int32 = 0
        while waitpid(pid, &raw, 0) < 0, errno == EINTR {}
        let signal = raw & 0x7F
        let result = signal == 0 ? (raw >> 8) & 0xFF : 128 + signal
        status = result
        return result
    }
}

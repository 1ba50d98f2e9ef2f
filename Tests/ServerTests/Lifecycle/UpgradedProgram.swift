// A program that is upgraded, with every process that comes of it: none of them outlives the test.

import Glibc
import JSON
import PerigeeTestKit
import Testing

/// A running `perigee serve` and its successors.
final class UpgradedProgram {
    let first: PerigeeProcess
    /// The processes, the one that serves last.
    private(set) var pids: [Int32]
    var adminPort: UInt16 { first.adminPort }
    var clientPort: UInt16 { first.clientPort }

    init(_ first: PerigeeProcess) {
        self.first = first
        pids = [first.process.pid]
    }

    deinit {
        // A process that is gone has left a number that nobody else has got in so short a time.
        for pid in pids.dropFirst() { kill(pid, SIGKILL) }
    }

    /// Upgrades through the API; the new process's number.
    @discardableResult
    func upgrade() throws -> Int32 {
        let answer = try HTTPClient(port: adminPort, timeout: .seconds(30)).request("POST", "/v1/upgrade")
        guard answer.status == 200, let pid = try answer.json()["pid"]?.int else {
            throw ClientError.unexpected("not upgraded: \(answer)")
        }
        pids.append(Int32(pid))
        return Int32(pid)
    }

    /// Notes a process that was started by a signal.
    func note(_ pid: Int32) { pids.append(pid) }

    /// Waits until a process has ended.
    func awaitEnd(of pid: Int32) throws {
        if pid == first.process.pid { return #expect(try first.process.wait() == 0) }
        try StartedProcess.awaitEnd(of: pid, within: .seconds(30))
    }

    /// The description of the process that answers, from `/v1/node`.
    func node() throws -> JSON { try HTTPClient.once("GET", "/v1/node", port: adminPort, timeout: .seconds(20)).json() }

    /// The descriptors that a process has open.
    static func descriptors(of pid: Int32) throws -> Int {
        let folder = try #require(opendir("/proc/\(pid)/fd"))
        defer { closedir(folder) }
        var count = 0
        while readdir(folder) != nil { count += 1 }
        return count
    }
}

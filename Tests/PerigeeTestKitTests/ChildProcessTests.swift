// ChildProcess and TemporaryFolder: their results, and their end without remains.

import Glibc
import PerigeeTestKit
import Testing

@Suite("ChildProcess", .bounded)
struct ChildProcessTests {
    @Test("returns status, output and errors of a shell line")
    func shell() throws {
        let result = try ChildProcess.shell("printf out; printf err >&2; exit 3")
        #expect(result == (3, "out", "err"))
        #expect(try ChildProcess.shell("kill -TERM $$").status == 128 + 15)
        #expect(try ChildProcess.shell("cat").output == "")
    }

    @Test("finds lines, sends signals and waits with a deadline")
    func lines() throws {
        let child = try ChildProcess.start(
            "sh", ["-c", "trap 'echo bye; exit 7' TERM; echo one; echo $WORD two; while :; do sleep 0.01; done"],
            environment: ["WORD": "number"])
        #expect(try child.outputLine(containing: "two") == "number two")
        child.timeout = .milliseconds(20)
        #expect(throws: ClientError.self) { try child.wait() }
        child.timeout = .seconds(5)
        child.signal(SIGTERM)
        #expect(try child.wait() == 7)
        #expect(try child.readOutputToEnd() == "bye\n")
    }

    /// A folder goes with its content.
    @Test("kills its whole group at its end")
    func goes() throws {
        var folder: TemporaryFolder? = try TemporaryFolder()
        let path = folder!.path
        try folder?.write("x", to: "a/b/c.lua")
        var child: ChildProcess? = try ChildProcess.start("sh", ["-c", "sleep 1000 & echo $!; sleep 1000"])
        let grandchild = pid_t(try child!.outputLine(containing: ""))!
        child = nil
        folder = nil
        #expect(access(path, F_OK) != 0)
        #expect(kill(grandchild, 0) != 0 || zombie(grandchild))
    }

    @Test("names a missing program in its error")
    func missing() {
        #expect(throws: ClientError.system(call: "start no-such-program", code: ENOENT)) {
            try ChildProcess.start("no-such-program")
        }
    }

    private func zombie(_ pid: pid_t) -> Bool {
        (try? ChildProcess.shell("grep -q 'State:.Z' /proc/\(pid)/status").status) == 0
    }
}

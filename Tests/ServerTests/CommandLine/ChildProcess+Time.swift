// The processor time of a program: for tests that it sleeps when it has nothing to do.

import Glibc
import PerigeeTestKit
import Testing

extension ChildProcess {
    /// The seconds of CPU time that the process has used, its threads together.
    func processorTime() throws -> Double {
        let file = try #require(fopen("/proc/\(pid)/stat", "r"))
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 1024)
        try #require(fgets(&line, Int32(line.count), file) != nil)
        let text = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        // The name, in parentheses, is the one field that may hold a space; user and system time are the 14th and 15th.
        let fields = try #require(text.split(separator: ")").last).split(separator: " ")
        let user = try #require(Int(fields[11]))
        let system = try #require(Int(fields[12]))
        return Double(user + system) / Double(sysconf(Int32(_SC_CLK_TCK)))
    }
}

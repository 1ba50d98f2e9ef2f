// The built `perigee`, which lies beside the test bundle.

import Glibc
import PerigeeTestKit

/// The program, and how it ended.
enum PerigeeProgram {
    /// The build's product; `PERIGEETEST_PROGRAM` names another, a release build for figures.
    static let path: String = {
        if let given = getenv("PERIGEETEST_PROGRAM") { return String(cString: given) }
        var buffer = [CChar](repeating: 0, count: 4096)
        let count = readlink("/proc/self/exe", &buffer, buffer.count)
        let own = String(decoding: buffer.prefix(max(0, count)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return own.split(separator: "/").dropLast().map { "/\($0)" }.joined() + "/perigee"
    }()

    /// Runs it to its end.
    static func run(
        _ arguments: [String], environment: [String: String] = [:]
    ) throws -> (status: Int32, output: String, errors: String) {
        let process = try ChildProcess.start(path, arguments, environment: environment, timeout: .seconds(30))
        let output = try process.readOutputToEnd()
        let errors = try process.readErrorsToEnd()
        return (try process.wait(), output, errors)
    }
}

// The load generator, `perigee-bench`, which lies beside the test bundle: it starts perigee and the floor, and measures them.

import JSON
import PerigeeTestKit
import Testing

@Suite("Command line: perigee-bench", .plainOnly("the load generator does not speak TLS"), .bounded)
struct LoadGeneratorTests {
    private static let scripts =
        #filePath.dropLast("/Tests/ServerTests/CommandLine/LoadGeneratorTests.swift".count) + "/Scripts"

    private func run(_ arguments: [String]) throws -> String {
        let bench = try ChildProcess.start(
            PerigeeProgram.path + "-bench", arguments + ["--scripts", String(Self.scripts), "--seconds", "0.5"],
            timeout: .seconds(120))
        let output = try bench.readOutputToEnd()
        let errors = try bench.readErrorsToEnd()
        #expect(try bench.wait() == 0, "\(errors)")
        return output
    }

    @Test("compare measures each row of perigee and of the floor and their ratio")
    func compares() throws {
        let output = try run(["compare", "pushes", "handshake", "--rounds", "1"])
        let rows = output.split(separator: "\n").filter { $0.contains(" µs ") }
        #expect(rows.count == 3, "\(output)")
        #expect(
            rows.allSatisfy { $0.contains(#/\d\.\d\d µs +\d+\.\d\d µs +\d+\.\d\d +\d+\.\d\d to \d+\.\d\d/#) },
            "\(output)")
    }

    @Test("a report as JSON has the server's CPU time for each delivery")
    func reportsJSON() throws {
        let report = try JSON(parsing: run(["fanout", "--connections", "10", "--json"]))
        let result = try #require(report["results"]?[0])
        #expect(result["scenario"] == "fan-out" && result["unit"] == "delivery")
        #expect(try #require(result["count"]?.int) > 0)
        #expect(try #require(result["serverCPUMicrosecondsEach"]?.number) > 0)
    }
}

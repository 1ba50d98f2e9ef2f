// The script that fuzzes, with stand-ins for the program: its reaction to a program that does not list its targets.

import FuzzTargets
import PerigeeTestKit
import Testing

@Suite("The script that fuzzes", .bounded)
struct RunTests {
    private static let script = String(#filePath.dropLast("/Replay/RunTests.swift".count)) + "/run"

    /// Runs the script with a shell's line as the program, which is called without an argument for the list.
    private func run(listing line: String) throws -> (status: Int32, output: String, errors: String) {
        let folder = try TemporaryFolder()
        try folder.write("#!/bin/sh\n[ $# -gt 0 ] || { \(line); }\n", to: "debug/perigee-fuzz")
        let command = "chmod +x '\(folder.path)/debug/perigee-fuzz' && FUZZ_BUILD='\(folder.path)' '\(Self.script)'"
        return try ChildProcess.shell(command, timeout: .seconds(60))
    }

    @Test(
        "a listing that fails or names too few targets fails the run",
        arguments: ["exit 3", "kill -9 $$", "true", "seq 27"])
    func badListing(_ line: String) throws {
        let result = try run(listing: line)
        #expect(result.status != 0 && !result.output.contains("inputs"), "\(result)")
    }

    @Test("every target of the listing is run")
    func everyTarget() throws {
        let result = try run(listing: "seq -f target%g 28")
        let names = result.output.split(separator: "\n").compactMap { $0.split(separator: ":").first }
        #expect(result.status == 0, "\(result.errors)")
        #expect(Set(names) == Set((1...28).map { "target\($0)" }))
        #expect(FuzzTarget.all.count >= 28)
    }
}

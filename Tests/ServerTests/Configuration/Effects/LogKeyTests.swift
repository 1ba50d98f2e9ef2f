import JSON
import PerigeeTestKit
import Testing

@Suite("Keys of the log", .bounded)
struct LogKeyTests {
    private func start(_ variable: String, _ value: String) throws -> PerigeeProcess {
        try PerigeeProcess(
            scripts: ["main.lua": "-- one"], environment: ["PERIGEE_SCRIPTS_WATCH": "false", variable: value])
    }

    /// The status of a reload with this source.
    private func reload(_ perigee: PerigeeProcess, _ source: String) throws -> Int {
        try perigee.folder.write(source, to: "main.lua")
        return try HTTPClient.once("POST", "/v1/scripts/reload", port: perigee.adminPort).status
    }

    @Test("log.format json makes each line an object")
    func format() throws {
        let perigee = try start("PERIGEE_LOG_FORMAT", "json")
        #expect(try reload(perigee, "-- two") == 200)
        let line = try JSON(parsing: try perigee.process.errorLine(containing: "scripts reloaded"))
        #expect(line["message"] == "scripts reloaded" && line["level"] == "notice")
    }

    @Test("below log.level nothing is written")
    func level() throws {
        let perigee = try start("PERIGEE_LOG_LEVEL", "error")
        #expect(try reload(perigee, "-- two") == 200)
        #expect(try reload(perigee, "oops") == 422)
        #expect(try perigee.process.errorLine(containing: "reloaded").contains("scripts not reloaded"))
    }
}

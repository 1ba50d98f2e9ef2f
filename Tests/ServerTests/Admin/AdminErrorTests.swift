// The table of errors against the running server: each is provoked, and its answer has the one shape.

import JSON
import PerigeeTestKit
import Settings
import Testing

@testable import Admin
@testable import Server

@Suite("Admin: errors", .bounded)
struct AdminErrorTests {
    private struct Provocation {
        let code: String
        let method: String
        let path: String
        var headers: [(String, String)] = []
        var body = ""
    }

    private static let provocations = [
        Provocation(code: "bad_request", method: "GET", path: "/", headers: [("Host", "a b")]),
        Provocation(code: "channel_name_invalid", method: "POST", path: "/v1/channels/%00/messages"),
        Provocation(code: "json_invalid", method: "POST", path: "/v1/publish"),
        Provocation(code: "parameter_invalid", method: "GET", path: "/v1/channels?limit=0"),
        Provocation(code: "close_code_invalid", method: "DELETE", path: "/v1/connections/{id}?code=1"),
        Provocation(code: "host_not_allowed", method: "GET", path: "/v1/node", headers: [("Host", "example.com")]),
        Provocation(code: "origin_not_allowed", method: "GET", path: "/v1/node", headers: [("Origin", "null")]),
        Provocation(code: "not_found", method: "GET", path: "/"),
        Provocation(code: "connection_not_found", method: "GET", path: "/v1/connections/x"),
        Provocation(code: "method_not_allowed", method: "PUT", path: "/v1/node"),
        Provocation(
            code: "body_too_large", method: "POST", path: "/v1/messages", body: String(repeating: "x", count: 101)),
        Provocation(
            code: "idempotency_key_invalid", method: "POST", path: "/v1/messages",
            headers: [("Idempotency-Key", String(repeating: "k", count: 129))]),
        Provocation(code: "target_too_long", method: "GET", path: "/" + String(repeating: "x", count: 9000)),
        Provocation(code: "script_not_found", method: "GET", path: "/v1/scripts/nobody"),
        Provocation(code: "handler_not_found", method: "GET", path: "/v1/call/nobody"),
        Provocation(code: "upload_off", method: "PUT", path: "/v1/scripts/main"),
        Provocation(code: "no_previous_version", method: "POST", path: "/v1/scripts/rollback"),
        Provocation(code: "upgrade_failed", method: "POST", path: "/v1/upgrade"),
        Provocation(code: "expectation_failed", method: "GET", path: "/", headers: [("Expect", "tea")]),
        Provocation(
            code: "head_too_large", method: "GET", path: "/", headers: [("X", String(repeating: "x", count: 20_000))]),
    ]

    /// Provoked by tests of their own, because they take more than one request to a server without keys.
    private static let elsewhere: Set = [
        "text_not_utf8", "key_missing", "key_unknown", "scope_missing", "request_timeout", "scripts_invalid",
        "http_version_not_supported", "overloaded", "worker_late", "stopping", "upgrade_running", "script_name_invalid",
        "script_not_written", "refused_by_script", "script_failed", "script_timeout", "script_version_unknown",
        "broker_unavailable", "publish_outcome_unknown", "publication_too_large", "idempotency_key_reused",
        "batch_too_long",
    ]

    @Test("every error is provoked, has its own code, and is JSON of one shape")
    func all() throws {
        let codes = AdminError.all.map(\.code)
        #expect(Set(codes).count == codes.count)
        #expect(Set(codes) == Self.elsewhere.union(Self.provocations.map(\.code)))
        let statuses = Dictionary(uniqueKeysWithValues: AdminError.all.map { ($0.code, $0.status) })
        try withServer(scripts: AdminScripts.both, configure: { $0.admin.maxBody = 100 }) { server in
            let client = try Client(server)
            for row in Self.provocations {
                let path = row.path.replacing("{id}", with: client.id)
                let answer = try server.ask(row.method, path, headers: row.headers, body: row.body)
                #expect(answer.errorCode == row.code && answer.status == statuses[row.code], "\(row.code): \(answer)")
                try expectShape(answer)
            }
        }
    }

    @Test("every error's text is JSON of one shape for any message")
    func texts() throws {
        for error in AdminError.all {
            let odd = error.saying("\"quoted\" \\ \n \u{0} \u{1F680} </script>")
            let json = try JSON(parsing: odd.json.text)
            #expect(json["error"]?["code"]?.string == error.code && json["error"]?["message"]?.string == odd.message)
            #expect(json["error"]?["hint"]?.string == error.hint)
        }
    }

    private func expectShape(_ answer: HTTPResponse) throws {
        #expect(answer.header("Content-Type") == "application/json" && answer.header("X-Request-Id") != nil)
        let members = try #require(try answer.json().object)
        #expect(Array(members.keys) == ["error"])
        let error = try #require(members["error"]?.object)
        #expect(error["message"]?.string?.isEmpty == false)
        #expect(Set(error.keys).isSubset(of: ["code", "message", "hint", "errors"]))
    }
}

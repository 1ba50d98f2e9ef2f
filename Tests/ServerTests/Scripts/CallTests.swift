// Backends that ask a script: /v1/call/NAME and onRequest.

import JSON
import PerigeeTestKit
import Settings
import Testing

@testable import Server

@Suite("onRequest", .bounded)
struct CallTests {
    private static let scripts = [
        "main.lua": "function onOpen(conn) end",
        "shop/prices.lua": """
        function onRequest(r)
            if r.query["do"] == "wait" then server.sleep(0.01) return 200, "waited" end
            if r.query["do"] == "never" then while true do server.sleep(60) end end
            if r.query["do"] == "loop" then while true do end end
            if r.query["do"] == "fail" then error("oops") end
            if r.query["do"] == "nothing" then return end
            return 202, {method = r.method, name = r.name, path = r.path, ip = r.ip, body = r.body, x = r.headers["x-test"],
                key = r.headers["x-api-key"] or "none"}, {["X-Answer"] = "42", ["Content-Type"] = "application/vnd.test"}
        end
        """,
    ]

    @Test(
        "any method reaches onRequest whole and its answer comes back",
        arguments: ["GET", "POST", "PUT", "PATCH", "DELETE"])
    func methods(method: String) throws {
        try withServer(scripts: Self.scripts) { server in
            let body = method == "GET" ? "" : "hello"
            let answer = try server.ask(
                method, "/v1/call/shop%2Fprices?a=1", headers: [("X-Test", "yes"), ("X-API-Key", "mine")], body: body)
            #expect(answer.status == 202 && answer.header("X-Answer") == "42")
            #expect(answer.header("Content-Type") == "application/vnd.test")
            let json = try answer.json()
            #expect(json["method"]?.string == method && json["name"] == "shop/prices" && json["body"]?.string == body)
            #expect(json["x"] == "yes" && json["key"] == "mine" && json["ip"] == "127.0.0.1")
        }
    }

    @Test("a handler may wait, fail, return nothing, or take too long")
    func outcomes() throws {
        try withServer(
            scripts: Self.scripts, configure: { $0.scripts.eventTimeout = .milliseconds(200) }
        ) { server in
            let waited = try server.ask("GET", "/v1/call/shop%2Fprices?do=wait")
            #expect(waited.status == 200 && waited.text == "waited")
            let failed = try server.ask("GET", "/v1/call/shop%2Fprices?do=fail")
            #expect(failed.status == 500 && failed.errorCode == "script_failed" && failed.text.contains("oops"))
            let nothing = try server.ask("GET", "/v1/call/shop%2Fprices?do=nothing")
            #expect(nothing.status == 204 && nothing.body.isEmpty)
            let never = try server.ask("GET", "/v1/call/shop%2Fprices?do=never")
            #expect(never.status == 504 && never.errorCode == "script_timeout")
            let errors = try server.ask("GET", "/v1/scripts/errors")
            #expect(errors.text.contains("oops") && errors.text.contains("onRequest"))
        }
    }

    @Test("a script that is not there, or has no onRequest, is 404", arguments: ["nobody", "main", "%00"])
    func absent(name: String) throws {
        try withServer(scripts: Self.scripts) { server in
            let answer = try server.ask("GET", "/v1/call/\(name)")
            #expect(answer.status == 404 && answer.errorCode == "handler_not_found")
        }
    }

    /// A key needs the scope 'publish'.
    @Test("scripts do not see the API's keys")
    func keys() throws {
        let keys = [
            AdminKey(name: "push", key: "0123456789abcdef", scopes: [.publish]),
            AdminKey(name: "read", key: "fedcba9876543210", scopes: [.read]),
        ]
        try withServer(scripts: Self.scripts, configure: { $0.admin.keys = keys }) { server in
            let answer = try server.ask("GET", "/v1/call/shop%2Fprices", headers: [("X-API-Key", "0123456789abcdef")])
            #expect(answer.status == 202)
            #expect(try answer.json()["key"] == "none")
            let refused = try server.ask("GET", "/v1/call/shop%2Fprices", headers: [("X-API-Key", "fedcba9876543210")])
            #expect(refused.status == 403)
        }
    }

    @Test("calls of one script reach the workers in turn")
    func turns() throws {
        let script = """
            local me = crypto.hex(crypto.random(8))
            function onRequest(r) return 200, me end
            """
        try withServer(scripts: ["main.lua": script], configure: { $0.workers = 2 }) { server in
            let workers = try (0..<6).map { _ in try server.ask("GET", "/v1/call/main").text }
            #expect(Set(workers).count == 2)
            #expect(zip(workers, workers.dropFirst()).allSatisfy { $0 != $1 }, "\(workers)")
        }
    }

    @Test("five kills within a minute make the server degraded, still in service")
    func degraded() throws {
        try withServer(
            scripts: Self.scripts, configure: { $0.scripts.budget = .milliseconds(10) }
        ) { server in
            for _ in 0..<4 {
                let killed = try server.ask("GET", "/v1/call/shop%2Fprices?do=loop")
                #expect(killed.status == 500)
            }
            #expect(try server.ask("GET", "/readyz").json()["status"] == "ready")
            let last = try server.ask("GET", "/v1/call/shop%2Fprices?do=loop")
            #expect(last.status == 500)
            let answer = try server.ask("GET", "/readyz")
            #expect(answer.status == 200)
            #expect(
                answer.text
                    == #"{"status":"degraded","reasons":["5 handlers were killed within the last minute"],"version":1}"#
            )
            let page = try MetricsPage(try server.ask("GET", "/metrics").text)
            #expect(page.value("perigee_handlers_killed_total") == 5)
        }
    }
}

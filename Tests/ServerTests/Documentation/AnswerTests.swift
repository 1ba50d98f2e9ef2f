// The answers of the admin API have the members that the route table names.

import HTTP1
import JSON
import PerigeeTestKit
import Settings
import Testing

@testable import Admin

@Suite("Documentation: answers of the admin API", .bounded)
struct AnswerTests {
    /// The names between backticks.
    private static func names(_ text: some StringProtocol) -> Set<String> {
        Set(String(text).matches(of: #/`(\w+)`/#).map { String($0.1) })
    }

    /// A request that is answered without an error.
    private static func request(_ route: AdminRoute, id: String) -> (path: String, body: String) {
        let name = route.path.hasPrefix("/v1/call") ? "caller" : "main"
        let path = route.path.replacing("{channel}", with: "news").replacing("{id}", with: id)
            .replacing("{user}", with: "ada").replacing("{name}", with: name)
        let body =
            switch (route.method, route.path) {
            case (_, "/v1/publish"): #"{"channels":["news"],"data":1}"#
            case (_, "/v1/batch"): "[]"
            case (.put, "/v1/scripts/{name}"): AdminScripts.main + "-- another version"
            case (.post, _): "hello"
            default: ""
            }
        return (path, body)
    }

    @Test("every JSON answer has the members that the route table names")
    func members() throws {
        var scripts = AdminScripts.both
        scripts["caller.lua"] = "function onRequest(request) return 200, 'done' end"
        let folder = try TemporaryFolder()
        for (name, text) in scripts { try folder.write(text, to: name) }
        var checked = 0
        try withServer { configuration in
            configuration.scripts.folder = folder.path
            configuration.scripts.upload = true
        } _: { server in
            let client = try Client(server)
            for route in AdminRoute.all.sorted(by: { Self.rank($0) < Self.rank($1) }) where Self.rank(route) < 4 {
                let (path, body) = Self.request(route, id: client.id)
                let answer = try server.ask("\(route.method)".uppercased(), path, body: body)
                #expect((200...202).contains(answer.status), "\(route.method) \(path): \(answer.text)")
                guard answer.header("Content-Type") == "application/json" else { continue }
                let members = Set(try #require(answer.json().object).keys)
                let parts = route.answers.split(separator: ";", maxSplits: 1)
                let always = Self.names(parts[0])
                let sometimes = parts.count > 1 ? Self.names(parts[1]) : []
                // The push as JSON refers to other rows, and the node has the counters.
                if path != "/v1/publish" { #expect(always.isSubset(of: members), "\(path): \(members)") }
                if path != "/v1/node" { #expect(members.isSubset(of: always.union(sometimes)), "\(path): \(members)") }
                checked += 1
            }
        }
        #expect(checked >= 15, "\(checked) answers")
    }

    /// Requests that need others before them come later, and those that end something last. 4 is left out: an upgrade needs a
    /// process of its own.
    private static func rank(_ route: AdminRoute) -> Int {
        switch (route.method, route.path) {
        case (_, "/v1/upgrade"): 4
        case (_, "/v1/drain"): 3
        case (.delete, "/v1/connections/{id}"): 2
        case (_, "/v1/scripts/rollback"): 1
        default: 0
        }
    }
}

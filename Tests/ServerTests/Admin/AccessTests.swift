// Access to the admin API: by keys with scopes, and without keys only from this machine, never from a web page.

import JSON
import PerigeeTestKit
import Settings
import Testing

@testable import Admin
@testable import Server

@Suite("Admin: access", .bounded)
struct AccessTests {
    private static let keys = [
        AdminKey(name: "shop", key: "publish-key-0123456789", scopes: [.publish]),
        AdminKey(name: "dashboard", key: "read-key-0123456789", scopes: [.read]),
        AdminKey(name: "deploy", key: "manage-key-0123456789", scopes: [.manage]),
        AdminKey(name: "root", key: "everything-key-0123456789"),
    ]

    private func withKeys(_ body: (TestServer) throws -> Void) throws {
        try withServer(scripts: AdminScripts.both, configure: { $0.admin.keys = Self.keys }, body)
    }

    /// Every request that the API knows, and the scope that its key needs; nil for requests that need no key.
    static let requests: [(method: String, path: String, scope: AdminScope?)] = [
        ("POST", "/v1/channels/{channel}/messages", .publish),
        ("POST", "/v1/connections/{id}/messages", .publish),
        ("POST", "/v1/users/{user}/messages", .publish),
        ("POST", "/v1/messages", .publish),
        ("POST", "/v1/publish", .publish),
        ("POST", "/v1/batch", .publish),
        ("GET", "/v1/connections", .read),
        ("GET", "/v1/connections/{id}", .read),
        ("DELETE", "/v1/connections/{id}", .manage),
        ("GET", "/v1/channels", .read),
        ("GET", "/v1/channels/{channel}", .read),
        ("GET", "/v1/channels/{channel}/messages", .read),
        ("DELETE", "/v1/channels/{channel}/messages", .manage),
        ("POST", "/v1/scripts/reload", .manage),
        ("GET", "/v1/scripts", .read),
        ("POST", "/v1/scripts/rollback", .manage),
        ("GET", "/v1/scripts/errors", .read),
        ("GET", "/v1/scripts/{name}", .read),
        ("PUT", "/v1/scripts/{name}", .manage),
        ("GET", "/v1/node", .read),
        ("POST", "/v1/drain", .manage),
        ("POST", "/v1/upgrade", .manage),
        ("GET", "/metrics", .read),
        ("GET", "/readyz", nil),
        ("GET", "/healthz", nil),
        ("GET", "/v1/call/{name}", .publish),
        ("POST", "/v1/call/{name}", .publish),
        ("PUT", "/v1/call/{name}", .publish),
        ("PATCH", "/v1/call/{name}", .publish),
        ("DELETE", "/v1/call/{name}", .publish),
    ]

    @Test("the list of requests and scopes is the route table's")
    func table() {
        let routes = AdminRoute.all.map { "\($0.method)".uppercased() + " \($0.path)" }
        #expect(routes == Self.requests.map { "\($0.method) \($0.path)" })
    }

    /// A path that fits, and does not end the server.
    private func path(_ path: String) -> String {
        path.replacing("{channel}", with: "news").replacing("{id}", with: "nobody").replacing("{user}", with: "ada")
            .replacing("/drain", with: "/drain?over=never")
    }

    @Test(
        "a request takes keys with its scope, 403 for others, 401 without one",
        arguments: requests.indices)
    func scopes(_ index: Int) throws {
        let (method, open, scope) = Self.requests[index]
        // HEAD needs the scope of GET.
        let methods = method == "GET" ? [method, "HEAD"] : [method]
        try withKeys { server in
            for method in methods {
                for key in Self.keys {
                    let answer = try server.ask(method, path(open), headers: [("X-API-Key", key.key)])
                    let mayPass = scope.map(key.scopes.contains) ?? true
                    #expect(answer.status != 401, "\(key.name)")
                    // Another reason for 403 is that the configuration takes no uploads.
                    if method != "HEAD" { #expect((answer.errorCode == "scope_missing") == !mayPass, "\(key.name)") }
                    if !mayPass { #expect(answer.status == 403, "\(key.name)") }
                    if mayPass, method == "HEAD" { #expect(answer.status != 403, "\(key.name)") }
                }
                for headers in [[], [("X-API-Key", "unknown-key-0123456789")]] {
                    let answer = try server.ask(method, path(open), headers: headers)
                    #expect((answer.status == 401) == (scope != nil), "\(headers)")
                }
            }
        }
    }

    @Test("a refusal names the key and the scope that it lacks")
    func refusal() throws {
        try withKeys { server in
            let refused = try server.ask("GET", "/v1/node", headers: [("X-API-Key", Self.keys[0].key)]).json()
            #expect(refused["error"]?["message"] == "the key 'shop' lacks the scope 'read'")
        }
    }

    @Test("without a key everything but /healthz is 401 with a hint")
    func noKey() throws {
        try withKeys { server in
            for request in Self.requests where request.scope != nil {
                let answer = try server.ask(request.method, path(request.path))
                #expect(answer.status == 401 && answer.errorCode == "key_missing", "\(request.path)")
                #expect(answer.header("WWW-Authenticate") == "Bearer")
            }
            #expect(try server.ask("GET", "/nothing/here").status == 401)
            #expect(try server.ask("PUT", "/v1/node").status == 401)
            let health = try server.ask("GET", "/healthz")
            #expect(health.status == 200 && health.text == "ok")
        }
    }

    @Test("a key in a Bearer token or X-API-Key is compared to the byte")
    func forms() throws {
        try withKeys { server in
            let key = Self.keys[3].key
            let rows: [(header: (String, String), status: Int, code: String?)] = [
                (("Authorization", "Bearer \(key)"), 200, nil), (("authorization", "bEARER \(key)"), 200, nil),
                (("X-API-Key", key), 200, nil), (("x-api-key", key), 200, nil),
                (("Authorization", "Bearer \(key)x"), 401, "key_unknown"),
                (("Authorization", "Bearer \(key.dropLast())"), 401, "key_unknown"),
                (("X-API-Key", key + key), 401, "key_unknown"), (("X-API-Key", key.uppercased()), 401, "key_unknown"),
                (("X-API-Key", ""), 401, "key_unknown"), (("Authorization", "Basic \(key)"), 401, "key_missing"),
                (("Authorization", key), 401, "key_missing"), (("Authorization", "Bearer"), 401, "key_missing"),
            ]
            for row in rows {
                let answer = try server.ask("GET", "/v1/node", headers: [row.header])
                #expect(answer.status == row.status && answer.errorCode == row.code, "\(row.header)")
            }
            #expect(try server.ask("GET", "/v1/node?key=\(key)").status == 401)
        }
    }

    @Test("a configured key serves any host name and any origin")
    func keysAndOrigins() throws {
        try withKeys { server throws in
            let headers = [
                ("X-API-Key", Self.keys[3].key), ("Host", "push.example"), ("Origin", "https://example.com"),
            ]
            #expect(try server.ask("GET", "/v1/node", headers: headers).status == 200)
        }
    }

    @Test("without keys, only requests to this machine from its own pages pass")
    func loopback() throws {
        try withServer(scripts: AdminScripts.both) { server in
            let port = server.adminPort
            let own = "127.0.0.1:\(port)"
            let (scheme, other) = server.isSecure ? ("https", "http") : ("http", "https")
            let rows: [(headers: [(String, String)], code: String?)] = [
                ([("Host", own)], nil), ([("Host", "localhost:\(port)")], nil), ([("Host", "LOCALHOST")], nil),
                ([("Host", "[::1]:\(port)")], nil), ([("Host", "127.0.0.2")], nil),
                ([("Host", "example.com")], "host_not_allowed"), ([("Host", "192.168.0.1")], "host_not_allowed"),
                ([("Host", "127.0.0.1.example.com")], "host_not_allowed"),
                ([("Host", "localhost.example.com:\(port)")], "host_not_allowed"),
                ([("Host", "[2001:db8::1]")], "host_not_allowed"), ([("Host", "0.0.0.0")], "host_not_allowed"),
                ([("Origin", "\(scheme)://\(own)")], nil), ([("Origin", "http://example.com")], "origin_not_allowed"),
                ([("Origin", "null")], "origin_not_allowed"), ([("Origin", "\(other)://\(own)")], "origin_not_allowed"),
                ([("Origin", "\(scheme)://127.0.0.1:1")], "origin_not_allowed"),
                ([("Origin", "\(scheme)://localhost:\(port)")], "origin_not_allowed"),
                ([("Sec-Fetch-Site", "none")], nil), ([("Sec-Fetch-Site", "same-origin")], nil),
                ([("Sec-Fetch-Site", "cross-site")], "origin_not_allowed"),
                ([("Sec-Fetch-Site", "same-site")], "origin_not_allowed"),
            ]
            for row in rows {
                for (method, path) in [("POST", "/v1/messages"), ("GET", "/v1/node")] {
                    let answer = try server.ask(method, path, headers: row.headers)
                    #expect(answer.status == (row.code == nil ? 200 : 403), "\(row.headers)")
                    #expect(answer.errorCode == row.code, "\(row.headers)")
                }
            }
            let absolute = try server.ask("GET", "http://example.com/v1/node")
            #expect(absolute.errorCode == "host_not_allowed")
            #expect(try server.ask("GET", "/nothing", headers: [("Host", "example.com")]).status == 403)
        }
    }

    @Test("a refused request pushes nothing and closes nobody")
    func nothingHappens() throws {
        try withKeys { server in
            let client = try Client(server, "/?channel=news")
            for headers in [[], [("X-API-Key", "wrong")], [("X-API-Key", Self.keys[1].key)]] {
                #expect(try server.ask("POST", "/v1/channels/news/messages", headers: headers, body: "x").status >= 401)
                #expect(try server.ask("DELETE", "/v1/connections/\(client.id)", headers: headers).status >= 401)
            }
            #expect(try client.socket.receiveAll() == [])
        }
    }
}

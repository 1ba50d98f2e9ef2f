// The README against the server: its API table is the route table, and its first `curl` does what it says.

import Foundation
import PerigeeTestKit
import Settings
import Testing

@testable import Admin
@testable import Server

@Suite("README", .plainOnly("its commands speak plain HTTP"), .bounded)
struct ReadmeTests {
    private let text: String

    init() throws {
        let root = #filePath.dropLast("/Tests/ServerTests/ReadmeTests.swift".count)
        text = try String(contentsOfFile: "\(root)/README.md", encoding: .utf8)
    }

    @Test("the API table lists every route once, in order, with the scope that it needs and its summary")
    func routes() {
        let methods = ["GET", "POST", "PUT", "PATCH", "DELETE"]
        let rows = text.split(separator: "\n").map(String.init).filter { line in
            methods.contains { line.hasPrefix("| `\($0) /") }
        }
        let expected = AdminRoute.all.map { route in
            "| `\("\(route.method)".uppercased()) \(route.path)` | \(route.scope?.rawValue ?? "") | \(route.summary) |"
        }
        #expect(rows == expected && rows.count >= 26)
    }

    @Test("the first curl, as it stands there, reaches the clients of the channel")
    func firstPush() throws {
        let command = try #require(text.split(separator: "\n").first { $0.hasPrefix("curl -d 'hello' ") })
        try withServer { server in
            let client = try WebSocketClient.connect(port: server.clientPort, path: "/?channel=lobby")
            _ = try client.receive()
            let answer = try ChildProcess.shell(
                command.replacing("http://127.0.0.1:9080", with: server.server.adminURL) + " -s")
            #expect(answer.output.contains(#""matched":1,"queued":1,"dropped":0"#))
            #expect(try client.receive() == .text("hello"))
        }
    }
}

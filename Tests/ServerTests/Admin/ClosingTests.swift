// DELETE /v1/connections/{id}: the client gets the code and the reason, and so does its script.

import JSON
import PerigeeTestKit
import Testing

@testable import Server

@Suite("Admin: closing", .bounded)
struct ClosingTests {
    private static let script =
        AdminScripts.main
        + "\nfunction onClose(conn, code, reason) server.broadcast(conn.id .. ' ' .. code .. ' ' .. reason) end"

    @Test("closes with the given code and reason, which the script sees too")
    func codeAndReason() throws {
        try withServer(scripts: ["main.lua": Self.script]) { server in
            let witness = try Client(server)
            for (client, code) in zip(
                try Client.onBothWorkers(server), [4000, 1001] + Array(repeating: 3000, count: 62))
            {
                let path = "/v1/connections/\(client.id)?code=\(code)&reason=l%C3%BCnch+time"
                let answer = try server.ask("DELETE", path)
                #expect(answer.status == 200)
                #expect(try answer.json() == ["id": .string(client.id), "code": .number(Double(code))])
                #expect(try client.socket.expectClose(skippingMessages: true) == (UInt16(code), "lünch time"))
                #expect(try witness.socket.receiveText() == "\(client.id) \(code) lünch time")
                #expect(try server.ask("GET", "/v1/connections/\(client.id)").status == 404)
            }
        }
    }

    /// The second time it is 404.
    @Test("closes with 1000 when no code is given")
    func plain() throws {
        try withServer(scripts: AdminScripts.both) { server in
            let client = try Client(server)
            #expect(try server.ask("DELETE", "/v1/connections/\(client.id)").status == 200)
            #expect(try server.ask("DELETE", "/v1/connections/\(client.id)").errorCode == "connection_not_found")
            #expect(try client.socket.expectClose() == (1000, "closed by operator"))
            #expect(try server.ask("GET", "/v1/node").json()["closes"]?["closed_by_operator"] == 1)
        }
    }

    @Test("a connection that is closing is shown as such and is sent nothing more")
    func closing() throws {
        try withServer(scripts: AdminScripts.both) { server in
            let client = try Client(server, "/?channel=news")
            #expect(try server.ask("DELETE", "/v1/connections/\(client.id)").status == 200)
            #expect(try server.ask("GET", "/v1/connections/\(client.id)").json()["state"] == "closing")
            #expect(try server.ask("POST", "/v1/connections/\(client.id)/messages", body: "x").status == 404)
            #expect(try server.ask("POST", "/v1/channels/news/messages", body: "x").json()["matched"] == 0)
            #expect(try client.socket.expectClose().code == 1000)
        }
    }

    @Test("an invalid code or a long reason is refused and closes nothing")
    func refused() throws {
        try withServer(scripts: AdminScripts.both) { server in
            let client = try Client(server)
            let long = String(repeating: "x", count: 124)
            for query in [
                "code=999", "code=1004", "code=1005", "code=1006", "code=1015", "code=2999", "code=5000", "code=x",
                "code=", "code=-1", "code=65536", "code=4000&reason=\(long)",
            ] {
                let answer = try server.ask("DELETE", "/v1/connections/\(client.id)?\(query)")
                #expect(answer.status == 400 && answer.errorCode == "close_code_invalid", "\(query)")
            }
            #expect(try server.ask("DELETE", "/v1/connections/nobody").status == 404)
            #expect(try client.socket.receiveAll() == [])
            let fits = try server.ask("DELETE", "/v1/connections/\(client.id)?reason=\(long.dropLast())")
            #expect(fits.status == 200)
            #expect(try client.socket.expectClose().reason == long.dropLast())
        }
    }
}

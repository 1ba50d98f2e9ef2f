// The options of channels, in a running server.

import JSON
import PerigeeTestKit
import Testing

@Suite("Options of channels", .bounded)
struct ChannelOptionTests {
    private static let scripts = [
        "main.lua": """
        function onOpen(conn) conn:subscribe(conn.query.channel) end
        function onMessage(conn, message)
            local done, why = server.publish(conn.query.channel, message)
            conn:send(done and "done" or why)
        end
        """
    ]

    private func withChannels(_ channels: String, _ body: (TestServer) throws -> Void) throws {
        try withServer(keys: ["channels": channels], scripts: Self.scripts, body)
    }

    @Test("refuses a message over the size of its channel")
    func size() throws {
        try withChannels("{small: {maxSize: 4}}") { server in
            let small = try server.connect("/?channel=small")
            try small.send("12345")
            #expect(try small.receiveText() == "too large")
            try small.send("1234")
            #expect(Set([try small.receiveText(), try small.receiveText()]) == ["1234", "done"])
            let admin = HTTPClient(port: server.adminPort)
            let refused = try admin.request("POST", "/v1/channels/small/messages", body: "12345")
            #expect(refused.status == 413)
            #expect(try refused.json()["error"]?["code"]?.string == "publication_too_large")
            #expect(try admin.request("POST", "/v1/channels/other/messages", body: "12345").status == 200)
        }
    }
}

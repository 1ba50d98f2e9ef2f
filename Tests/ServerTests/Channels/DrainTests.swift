// A script and a client that reads slowly: the script gets "slow", sees the waiting bytes, and gets onDrain when all is read.

import JSON
import PerigeeTestKit
import Server
import Settings
import Testing

@Suite("onDrain and refused messages", .bounded)
struct DrainTests {
    private static let scripts = [
        "main.lua": """
        local chunk = ("x"):rep(16 * 1024)
        function onOpen(conn) conn:send(conn.id) end
        function onMessage(conn, message)
            if message == "more" then
                local sent = 0
                while conn:send(chunk) do sent = sent + 1 end
                local ok, why = conn:send(chunk)
                server.publish("told", sent .. " " .. tostring(ok) .. " " .. why .. " " .. tostring(conn.queued > 0))
            else
                conn:send(message)
            end
        end
        function onDrain(conn) server.publish("told", "drained " .. conn.queued) end
        """,
        "watch.lua": #"function onOpen(conn) conn:subscribe("told"); conn:send("ready") end"#,
    ]

    /// The client stays; onDrain comes when it has read.
    @Test("onFullQueue refuse: conn:send returns false and onDrain follows")
    func refuse() throws {
        try withServer(
            scripts: Self.scripts,
            configure: { ($0.websocket.maxQueue, $0.websocket.onFullQueue) = (256 << 10, .refuse) }
        ) { server in
            let watcher = try server.connect("/watch")
            #expect(try watcher.receiveText() == "ready")
            let slow = try server.connect(receiveBuffer: 4096)
            let id = try slow.receiveText()
            try slow.send("more")
            let told = try watcher.receiveText().split(separator: " ")
            #expect(told.dropFirst() == ["false", "slow", "true"])
            let push = try HTTPClient.once(
                "POST", "/v1/connections/\(id)/messages", port: server.adminPort,
                body: String(repeating: "p", count: 256 << 10))
            #expect(try push.json()["dropped"] == 1)
            #expect(try server.nodeState()["messagesRefused"] == 3)
            for _ in 0..<(try #require(Int(told[0]))) { #expect(try slow.receiveText().utf8.count == 16 << 10) }
            #expect(try watcher.receiveText() == "drained 0")
            try slow.send("again")
            #expect(try slow.receiveText() == "again")
            #expect(try server.closes(for: "slow_consumer") == 0)
        }
    }

    @Test("a client that keeps up is never told to have drained")
    func keepsUp() throws {
        try withServer(scripts: Self.scripts) { server in
            let watcher = try server.connect("/watch")
            #expect(try watcher.receiveText() == "ready")
            let client = try server.connect()
            _ = try client.receiveText()
            for number in 1...100 {
                try client.send("\(number)")
                #expect(try client.receiveText() == "\(number)")
            }
            _ = try HTTPClient.once("POST", "/v1/channels/told/messages", port: server.adminPort, body: "end")
            #expect(try watcher.receiveText() == "end")
        }
    }
}

// Peers that are too slow: clients that take nothing of their queues, and backends whose requests drag on.

import JSON
import PerigeeTestKit
import Server
import Settings
import Testing

@Suite("Limits of time", .bounded)
struct DeadlineTests {
    /// Its script sees 1006; the others go on.
    @Test("a client that takes nothing for timeouts.write is cut and counted")
    func writeStall() throws {
        let scripts = [
            "main.lua": """
            function onOpen(conn) conn:subscribe("news") end
            function onClose(conn, code) server.publish("ends", tostring(code)) end
            """,
            "watch.lua": #"function onOpen(conn) conn:subscribe("ends") end"#,
        ]
        let configure = { (configuration: inout Configuration) in
            configuration.timeouts.write = .milliseconds(400)
            configuration.websocket.maxQueue = 64 << 20
        }
        try withServer(scripts: scripts, configure: configure) { server in
            let watcher = try server.connect("/watch")
            let slow = try server.connect(receiveBuffer: 4096)
            let news = String(repeating: "n", count: 512 << 10)
            let state = { try server.nodeState()["closes"]?["write_stall"]?.int }
            for _ in 0..<16 {
                #expect(try server.ask("POST", "/v1/channels/news/messages", body: news).json()["dropped"] == 0)
            }
            #expect(try watcher.receiveText() == "1006")
            #expect(try state() == 1)
            try server.eventually("it is gone") { try server.nodeState()["connections"] == 1 }
            withExtendedLifetime(slow) {}
        }
    }

    /// A body has until admin.requestTimeout.
    @Test("a head later than admin.headTimeout is answered 408")
    func adminHead() throws {
        try withServer(configure: { $0.admin.headTimeout = .milliseconds(200) }) { server in
            let head = "POST /v1/channels/news/messages HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 5\r\n\r\n"
            let patient = try server.openAdmin()
            try patient.send(head + "he")
            for part in [0, 1, 40] {
                let socket = try server.openAdmin()
                try socket.send(String(head.prefix(part)))
                #expect(try HTTPResponse.read(from: socket, method: "POST").status == 408)
                #expect(try socket.awaitEnd() == [])
            }
            try patient.send("llo")
            #expect(try HTTPResponse.read(from: patient, method: "POST").status == 200)
            #expect(try server.nodeState()["adminRequestsTimedOut"] == 3)
        }
    }

    @Test("a second head behind an answered request has admin.headTimeout too")
    func secondHead() throws {
        try withServer(configure: { $0.admin.headTimeout = .milliseconds(200) }) { server in
            let socket = try server.openAdmin()
            try socket.send("GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\nGET /hea")
            #expect(try HTTPResponse.read(from: socket, method: "GET").status == 200)
            #expect(try HTTPResponse.read(from: socket, method: "GET").status == 408)
        }
    }
}

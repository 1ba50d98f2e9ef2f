// The effects of conn, server and kv, seen from the clients: across workers, and over time.

import JSON
import PerigeeTestKit
import Server
import Settings
import Testing
import TimeBound

@Suite("Scripts over the wire", .bounded)
struct ScriptInterfaceTests {
    @Test("conn knows its request: path, query, headers, address, user, subprotocol")
    func connFields() throws {
        let script = """
            function onMessage(conn)
                conn:identify("ada")
                conn:send {
                    path = conn.path, q = conn.query.q, last = conn.query[3].value, host = conn.headers.host ~= nil,
                    twice = conn.headers["x-twice"], ip = conn.ip, user = conn.user, subprotocol = conn.subprotocol,
                    id = #conn.id, open = conn.isOpen, queued = conn.queued,
                }
            end
            """
        try withServer(scripts: ["main.lua": script], configure: { $0.websocket.subprotocols = ["v1"] }) { server in
            let client = try server.connect(
                "/a%20b/c?q=1&r=&q=%C3%A5", headers: [("X-Twice", "a"), ("X-Twice", "b")], subprotocols: ["v1"])
            try client.send("who am I?")
            let expected: JSON = [
                "path": "/a b/c", "q": "1", "last": "å", "host": true, "twice": "a, b", "ip": "127.0.0.1",
                "user": "ada", "subprotocol": "v1", "id": 23, "open": true, "queued": 0,
            ]
            #expect(try client.receiveJSON() == expected)
            let listed = try HTTPClient.once("GET", "/v1/connections?user=ada", port: server.adminPort).json()
            #expect(listed["items"]?.array?.count == 1)
        }
    }

    @Test("a conn that a script has kept answers closed when the connection is gone")
    func staleConn() throws {
        let script = """
            local first
            function onOpen(conn)
                if not first then first = conn return end
                local sent, why = first:send("are you there?")
                conn:send { sent = sent, why = why, open = first.isOpen, closed = first:close() }
            end
            """
        try withServer(scripts: ["main.lua": script], configure: { $0.workers = 1 }) { server in
            let first = try server.connect()
            try first.close()
            try first.expectClose()
            let expected: JSON = ["sent": false, "why": "closed", "open": false, "closed": false]
            #expect(try server.connect().receiveJSON() == expected)
        }
    }

    /// Text and binary. It returns false for an unknown connection.
    @Test(
        "server.send reaches a connection of another worker")
    func sendAcrossWorkers() throws {
        let script = """
            function onOpen(conn) conn:send(conn.id) end
            function onMessage(conn, id)
                server.send(id, "for you")
                server.send(id, "\\0\\xFF", { binary = true })
                conn:send(tostring(server.send("0123456789abcdefghjkmnp", "nobody")))
            end
            """
        try withServer(scripts: ["main.lua": script]) { server in
            let clients = try server.connectOnEachWorker()
            let ids = try clients.map { try $0.receiveText() }
            try clients[0].send(ids[1])
            #expect(try clients[1].receive() == .text("for you"))
            #expect(try clients[1].receive() == .binary([0, 0xFF]))
            #expect(try clients[0].receiveText() == "false")
        }
    }

    /// On every path.
    @Test("server.broadcast reaches every connection of every worker once")
    func broadcast() throws {
        let scripts = ["main.lua": #"function onMessage() server.broadcast("all") end"#, "other.lua": ""]
        try withServer(scripts: scripts) { server in
            let clients = try server.connectOnEachWorker("/") + server.connectOnEachWorker("/other")
            try clients[0].send("go")
            for client in clients { #expect(try client.receiveText() == "all") }
            for client in clients { #expect(try client.receiveAll() == []) }
        }
    }

    @Test("kv is one store for all workers: every increment counts")
    func sharedStore() throws {
        let script = #"""
            function onMessage(conn) kv.incr("count") conn:send(tostring(kv.get("count"))) end
            """#
        try withServer(scripts: ["main.lua": script]) { server in
            let clients = try server.connectOnEachWorker()
            for _ in 0..<200 { for client in clients { try client.send("count") } }
            for client in clients {
                let seen = try client.receiveAll()
                #expect(seen.count == 200)
            }
            try clients[0].send("count")
            #expect(try clients[0].receiveText() == "401")
        }
    }

    @Test("server.after fires once and server.every repeats on one worker only")
    func timers() throws {
        let script = """
            server.every("tick", 0.02, function() server.publish("ticks", tostring(kv.incr("tick"))) end)
            function onOpen(conn) conn:subscribe("ticks") end
            function onMessage(conn) server.after(0.01, function() conn:send("after") end) end
            """
        try withServer(scripts: ["main.lua": script]) { server in
            let clients = try server.connectOnEachWorker()
            let first = try #require(Int(try clients[0].receiveText()))
            for tick in 1...3 { #expect(try clients[0].receiveText() == "\(first + tick)") }
            try clients[1].send("go")
            try repeatUntil("the timer has fired") { try clients[1].receiveText() == "after" }
            for _ in 0..<3 { #expect(try clients[1].receiveText() != "after") }
        }
    }

    /// Binary to and from scripts keeps every byte.
    @Test("a table is sent as JSON")
    func payloads() throws {
        let script = """
            function onMessage(conn, message, binary)
                conn:send { bytes = #message, binary = binary, list = { 1, 2, 3 } }
                conn:sendBinary(message:reverse())
            end
            """
        try withServer(scripts: ["main.lua": script]) { server in
            let client = try server.connect()
            try client.send([0, 1, 0xFE, 0xFF])
            #expect(try client.receiveJSON() == ["bytes": 4, "binary": true, "list": [1, 2, 3]])
            #expect(try client.receiveBinary() == [0xFF, 0xFE, 1, 0])
        }
    }
}

// Scripts that ask other servers, in a whole server: a handler that waits delays no other connection.

import JSON
import PerigeeTestKit
import Server
import Settings
import Testing

@Suite("Scripts' requests", .bounded)
struct ScriptRequestTests {
    private let backend = LiveBackend()

    /// A script whose onMessage is `body`, where `url(path)` is the backend's.
    private func script(_ body: String, more: String = "") -> [String: String] {
        [
            "main.lua": """
            local function url(path) return "\(backend.url(""))" .. path end
            function onMessage(conn, message) \(body) end
            \(more)
            """
        ]
    }

    private func oneWorker(_ configuration: inout Configuration) { configuration.workers = 1 }

    private static let ask = """
        local response, why = http.get(url(message))
        conn:send(response and response.status .. " " .. response.body .. " " .. response.headers["x-path"] or why)
        """

    @Test("a handler that waits for a slow backend does not block its worker")
    func others() throws {
        try withServer(scripts: script(Self.ask), configure: oneWorker) { server in
            let slow = try WebSocketClient.connect(port: server.clientPort)
            let quick = try WebSocketClient.connect(port: server.clientPort)
            try slow.send("/held")
            #expect(backend.comes { $0.held == 1 })
            for _ in 1...3 {
                try quick.send("/quick")
                #expect(try quick.receiveText() == "200 /quick /quick")
            }
            #expect(try slow.receiveAll() == [])
            backend.release()
            #expect(try slow.receiveText() == "200 /held /held")
        }
    }

    /// The handler goes on.
    @Test("a backend that never answers is a timeout")
    func timeout() throws {
        let body =
            "local r, why, detail = http.get(url('/held'), {timeout = 0.05}) conn:send({tostring(r), why, detail})"
        try withServer(scripts: script(body), configure: oneWorker) { server in
            let client = try WebSocketClient.connect(port: server.clientPort)
            try client.send("go")
            #expect(try client.receiveJSON() == ["nil", "timeout", "no response within 50 ms"])
            let node = try HTTPClient(port: server.adminPort).request("GET", "/v1/node").json()
            #expect(node["httpRequests"] == 1 && node["httpTimedOut"] == 1 && node["httpFailed"] == 0)
        }
    }

    /// onClose comes when the handler is done.
    @Test(
        "closing a connection ends the request of its waiting handler")
    func closedMeanwhile() throws {
        let more = """
            function onClose(conn) kv.set("order", (kv.get("order") or "") .. " closed") end
            """
        let body = """
            if message == "show" then return conn:send(kv.get("order") or "nothing") end
            local response, why = http.get(url("/held"), {timeout = 3600})
            kv.set("order", tostring(response) .. " " .. why)
            """
        try withServer(scripts: script(body, more: more), configure: oneWorker) { server in
            let gone = try WebSocketClient.connect(port: server.clientPort)
            try gone.send("go")
            #expect(backend.comes { $0.held == 1 })
            try gone.close()
            try gone.expectClose()
            // The request's connection goes, too.
            #expect(backend.comes { $0.open == 0 })
            let other = try WebSocketClient.connect(port: server.clientPort)
            try other.send("show")
            #expect(try other.receiveText() == "nil closed closed")
        }
    }

    @Test("waiting handlers keep the order of a connection's messages")
    func order() throws {
        let body = """
            local response = http.get(url(message))
            conn:send(response.body)
            """
        try withServer(scripts: script(body), configure: oneWorker) { server in
            let client = try WebSocketClient.connect(port: server.clientPort)
            let paths = (0..<20).map { $0 % 3 == 0 ? "/held/\($0)" : "/quick/\($0)" }
            for path in paths { try client.send(path) }
            #expect(backend.comes { $0.held == 1 })
            #expect(backend.now.lines.count == 1)
            backend.release()
            for path in paths { #expect(try client.receiveText() == path) }
        }
    }

    @Test("a thousand handlers wait at once and all of them are answered")
    func thousand() throws {
        let body = """
            local left = 1000
            for number = 1, 1000 do
              server.spawn(function()
                local response, why = http.get(url("/held/" .. number), {timeout = 60})
                left = left - 1
                if not response or response.body ~= "/held/" .. number then conn:send(number .. ": " .. tostring(why)) end
                if left == 0 then conn:send("all") end
              end)
            end
            """
        try withServer(scripts: script(body), configure: oneWorker) { server in
            let client = try WebSocketClient.connect(port: server.clientPort)
            try client.send("go")
            // As many run as may; the others wait for them.
            #expect(backend.comes { $0.held == 100 })
            #expect(backend.now.lines.count == 100)
            backend.release()
            #expect(try client.receiveText(timeout: .seconds(30)) == "all")
            #expect(backend.now.lines.count == 1000)
        }
    }

    @Test("an upgrade may ask a backend whether the client may come in")
    func upgrade() throws {
        let more = """
            function onUpgrade(request)
              local response, why = http.get(url("/auth/" .. (request.query.who or "nobody")))
              if not response then return false, 503, why end
              if response.status ~= 200 then return false, 403, "not you" end
              return {path = response.body}
            end
            """
        let scripts = script("conn:send(conn.data.path)", more: more)
        try withServer(scripts: scripts, configure: oneWorker) { server in
            let client = try WebSocketClient.connect(port: server.clientPort, path: "/?who=ada")
            try client.send("who am I?")
            #expect(try client.receiveText() == "/auth/ada")
            let refused = try WebSocketClient.handshakeRefused(port: server.clientPort, path: "/?who=forbidden")
            #expect(refused.status == 403)
        }
    }

    @Test("a script cannot reach a reserved address and gets the reason")
    func metadata() throws {
        let body = "local r, why, detail = http.get(message) conn:send({tostring(r), why, detail})"
        try withServer(scripts: script(body), configure: oneWorker) { server in
            let client = try WebSocketClient.connect(port: server.clientPort)
            try client.send("http://169.254.169.254/latest/meta-data/")
            #expect(try client.receiveJSON() == ["nil", "address refused", "169.254.169.254"])
        }
    }

    @Test("a server that stops with requests under way ends them")
    func stop() throws {
        let body = "local r, why = http.get(url('/held')) log.info('ended', {why = why})"
        var log: RecordedLog?
        try withServer(scripts: script(body), configure: oneWorker) { server in
            log = server.log
            let client = try WebSocketClient.connect(port: server.clientPort)
            try client.send("go")
            #expect(backend.comes { $0.held == 1 })
        }
        #expect(backend.comes { $0.open == 0 })
        #expect(log?.lines.contains { $0.contains("ended") && $0.contains("why=closed") } == true)
    }
}

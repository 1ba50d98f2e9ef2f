// Pushes of backends on their way through main.lua's onPublish.

import JSON
import PerigeeTestKit
import Settings
import Testing

@testable import Server

@Suite("onPublish", .bounded)
struct PublishFilterTests {
    private static let script = """
        function onOpen(conn) conn:subscribe("news") conn:subscribe("other") conn:identify("ann") conn:send(conn.id) end
        function onMessage(conn) kv.set("go", true) end
        function onPublish(p)
            if p.data == "no" then return false, "not today" end
            if p.data == "error" then error("oops") end
            if p.data == "late" then while not kv.get("go") do server.sleep(0.01) end return true end
            if p.data == "never" then while true do server.sleep(60) end end
            if p.data == "other" then return {channel = "other", data = {from = p.channel}} end
            if p.data == "fan" then server.publish("other", "fanned") return true end
            if p.data == "badly" then return {channel = ""} end
            if p.data == "who" then
                local for_whom = p.channel or p.user or p.path or (p.connection and "one") or "all"
                return {data = for_whom .. " " .. tostring(p.key) .. " " .. tostring(p.exclude ~= nil)}
            end
        end
        """

    @Test("a publication passes, is changed, fans out, or is refused with reason")
    func answers() throws {
        try withServer(scripts: ["main.lua": Self.script]) { server in
            let client = try Client(server)
            func push(_ text: String) throws -> HTTPResponse {
                try server.ask("POST", "/v1/channels/news/messages", body: text)
            }
            let passed = try push("hello")
            #expect(passed.status == 200)
            #expect(try client.socket.receiveText() == "hello")
            let refused = try push("no")
            #expect(refused.status == 422 && refused.errorCode == "refused_by_script")
            #expect(refused.text.contains("not today"))
            let moved = try push("other")
            #expect(try moved.json()["channel"] == "other" && moved.status == 200)
            #expect(try client.socket.receiveText() == #"{"from":"news"}"#)
            let fanned = try push("fan")
            #expect(fanned.status == 200)
            #expect(Set([try client.socket.receiveText(), try client.socket.receiveText()]) == ["fan", "fanned"])
            let failed = try push("error")
            #expect(failed.status == 500 && failed.errorCode == "script_failed")
            #expect(failed.text.contains("oops"))
            let bad = try push("badly")
            #expect(bad.status == 500 && bad.errorCode == "script_failed")
            let errors = try server.ask("GET", "/v1/scripts/errors").text
            #expect(errors.contains("oops") && errors.contains("onPublish"))
        }
    }

    /// The publication names its target.
    @Test("every way to push passes")
    func ways() throws {
        try withServer(scripts: ["main.lua": Self.script]) { server in
            let client = try Client(server)
            let json = #"{"channels":["news","other"],"data":"who","key":"k","exclude":"\#(client.id)x"}"#
            let ways = [
                ("/v1/channels/news/messages?key=k", "who", ["news k false"]),
                ("/v1/users/ann/messages", "who", ["ann nil false"]),
                ("/v1/connections/\(client.id)/messages", "who", ["one nil false"]),
                ("/v1/messages", "who", ["all nil false"]), ("/v1/messages?path=/", "who", ["/ nil false"]),
                (
                    "/v1/publish", json.replacing(",\"exclude\":\"\(client.id)x\"", with: ""),
                    ["news k false", "other k false"]
                ),
            ]
            for (path, body, received) in ways {
                let answer = try server.ask("POST", path, body: body)
                #expect(answer.status == 200, "\(path): \(answer)")
                for text in received { #expect(try client.socket.receiveText() == text, "\(path)") }
            }
        }
    }

    @Test("while a handler waits, others go on and a channel's pushes keep order")
    func order() throws {
        try withServer(scripts: ["main.lua": Self.script]) { server in
            let client = try Client(server)
            let sockets = try (0..<3).map { _ in try server.openAdmin() }
            // A request with an answer was read no later than one that is sent after it.
            for (socket, text) in zip(sockets, ["late", "second", "third"]) {
                try socket.send(
                    "POST /v1/channels/news/messages HTTP/1.1\r\nHost: localhost\r\nContent-Length: \(text.utf8.count)\r\n\r\n"
                        + text)
                try server.eventually("it waits") { try server.nodeState()["handlersWaiting"]?.int == 1 }
            }
            let other = try server.ask("POST", "/v1/channels/other/messages", body: "other channel")
            #expect(other.status == 200)
            #expect(try client.socket.receiveText() == "other channel")
            try client.socket.send("go")
            let received = [
                try client.socket.receiveText(), try client.socket.receiveText(), try client.socket.receiveText(),
            ]
            #expect(received == ["late", "second", "third"])
        }
    }

    @Test("pushes of one connection keep their order across channels")
    func orderAcrossChannels() throws {
        try withServer(scripts: ["main.lua": Self.script]) { server in
            let client = try Client(server)
            let socket = try server.openAdmin()
            let requests = [("news", "late"), ("other", "second")].map { channel, text in
                "POST /v1/channels/\(channel)/messages HTTP/1.1\r\nHost: localhost\r\n"
                    + "Content-Length: \(text.utf8.count)\r\n\r\n\(text)"
            }
            try socket.send(requests.joined())
            try server.eventually("it waits") { try server.nodeState()["handlersWaiting"]?.int == 1 }
            // Would come behind the second push, if that had begun.
            let elsewhere = try server.ask("POST", "/v1/channels/other/messages", body: "elsewhere")
            #expect(elsewhere.status == 200)
            #expect(try client.socket.receiveText() == "elsewhere")
            try client.socket.send("go")
            #expect(try client.socket.receiveText() == "late")
            #expect(try client.socket.receiveText() == "second")
            for _ in requests { #expect(try HTTPResponse.read(from: socket, method: "POST").status == 200) }
        }
    }

    /// One more is 503.
    @Test("as many pushes wait behind one as handlers may")
    func overload() throws {
        try withServer(scripts: ["main.lua": Self.script], configure: { $0.scripts.maxWaiting = 2 }) { server in
            let client = try Client(server)
            let sockets = try (0..<3).map { _ in try server.openAdmin() }
            for socket in sockets {
                try socket.send(
                    "POST /v1/channels/news/messages HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n\r\nlate")
                try server.eventually("it waits") { try server.nodeState()["handlersWaiting"]?.int == 1 }
            }
            let refused = try server.ask("POST", "/v1/channels/news/messages", body: "late")
            #expect(refused.status == 503 && refused.errorCode == "overloaded")
            try client.socket.send("go")
            for _ in sockets { #expect(try client.socket.receiveText() == "late") }
            let next = try server.ask("POST", "/v1/channels/news/messages", body: "next")
            #expect(next.status == 200)
        }
    }

    /// The next push is answered.
    @Test("a handler that never answers is 504")
    func timeout() throws {
        try withServer(
            scripts: ["main.lua": Self.script], configure: { $0.scripts.eventTimeout = .milliseconds(50) }
        ) { server in
            let never = try server.ask("POST", "/v1/channels/news/messages", body: "never")
            #expect(never.status == 504 && never.errorCode == "script_timeout")
            let next = try server.ask("POST", "/v1/channels/news/messages", body: "hello")
            #expect(next.status == 200)
        }
    }

    @Test("pushes are asked about while the live scripts have an onPublish")
    func reloads() throws {
        let quiet = "function onOpen(conn) conn:subscribe('news') conn:send('open') end"
        let folder = try TemporaryFolder()
        try folder.write(quiet, to: "main.lua")
        try withServer(configure: { $0.scripts.folder = folder.path }) { server in
            let client = try WebSocketClient.connect(port: server.clientPort, timeout: .seconds(20))
            #expect(try client.receiveText() == "open")
            func push() throws -> Int { try server.ask("POST", "/v1/channels/news/messages", body: "no").status }
            func handlers() throws -> String { try server.ask("GET", "/metrics").text }
            #expect(try push() == 200)
            #expect(try client.receiveText() == "no")
            let before = try handlers()
            #expect(!before.contains("onPublish"))
            try folder.write(Self.script, to: "main.lua")
            #expect(try server.ask("POST", "/v1/scripts/reload").status == 200)
            #expect(try push() == 422)
            let page = try MetricsPage(try handlers())
            #expect(page.value("perigee_handler_calls_total", ["script": "main", "handler": "onPublish"]) == 1)
            try folder.write(quiet, to: "main.lua")
            #expect(try server.ask("POST", "/v1/scripts/reload").status == 200)
            #expect(try push() == 200)
            #expect(try client.receiveText() == "no")
        }
    }

    @Test("a push does not overtake those in an onPublish that a reload removed")
    func removed() throws {
        let quiet = "function onMessage(conn) kv.set('go', true) end"
        let folder = try TemporaryFolder()
        try folder.write(Self.script, to: "main.lua")
        try withServer(configure: { $0.scripts.folder = folder.path }) { server in
            let client = try Client(server)
            func push(_ text: String) throws -> RawSocket {
                let socket = try server.openAdmin()
                try socket.send(
                    "POST /v1/channels/news/messages HTTP/1.1\r\nHost: localhost\r\nContent-Length: \(text.utf8.count)\r\n\r\n"
                        + text)
                return socket
            }
            let late = try push("late")
            try server.eventually("it waits") { try server.nodeState()["handlersWaiting"]?.int == 1 }
            try folder.write(quiet, to: "main.lua")
            #expect(try server.ask("POST", "/v1/scripts/reload").status == 200)
            let second = try push("second")
            let toUser = try server.ask("POST", "/v1/users/ann/messages", body: "to a user")
            #expect(toUser.status == 200)
            #expect(try client.socket.receiveText() == "to a user")
            try client.socket.send("go")
            #expect(try client.socket.receiveText() == "late")
            #expect(try client.socket.receiveText() == "second")
            for socket in [late, second] { #expect(try HTTPResponse.read(from: socket, method: "POST").status == 200) }
            #expect(try server.ask("POST", "/v1/channels/news/messages", body: "third").status == 200)
        }
    }

    @Test("questions that wait when the server stops are answered 503")
    func stops() throws {
        let script = Self.script + "\nfunction onRequest() server.sleep(3600) return 200, 'late' end"
        try withServer(scripts: ["main.lua": script]) { server in
            let sockets = try ["channels/news/messages", "channels/news/messages", "call/main"].map { path in
                let socket = try server.openAdmin()
                try socket.send("POST /v1/\(path) HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nnever")
                return socket
            }
            try server.eventually("two wait") { try server.nodeState()["handlersWaiting"]?.int == 2 }
            server.server.stop()
            for socket in sockets {
                let answer = try HTTPResponse.read(from: socket, method: "POST")
                #expect(answer.status == 503 && answer.errorCode == "stopping")
            }
        }
    }

    @Test("a name that is not UTF-8 is refused, not repaired")
    func names() throws {
        let script = """
            function onPublish(p)
                if p.data == "channel" then return {channel = "\\xff"} end
                if p.data == "key" then return {key = "\\xff"} end
            end
            """
        try withServer(scripts: ["main.lua": script]) { server in
            for data in ["channel", "key"] {
                let answer = try server.ask("POST", "/v1/channels/news/messages", body: data)
                #expect(answer.status == 500 && answer.errorCode == "script_failed")
            }
            let query = try server.ask("POST", "/v1/channels/news/messages?key=%ff", body: "x")
            #expect(query.status == 400 && query.errorCode == "parameter_invalid")
            #expect(try server.ask("GET", "/v1/connections?user=%80").status == 400)
        }
    }
}

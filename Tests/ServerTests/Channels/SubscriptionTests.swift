// The subscribers of a channel: joining, leaving, exclusion, the limit, and a reload.

import JSON
import PerigeeTestKit
import Server
import Settings
import Testing

@Suite("Subscriptions", .bounded)
struct SubscriptionTests {
    private static let script = """
        local actions = {
            join = function(conn, channel) return conn:subscribe(channel) end,
            leave = function(conn, channel) return conn:unsubscribe(channel) end,
            say = function(conn, channel) return server.publish(channel, "said", { except = conn }) end,
            list = function(conn) return table.concat(conn:channels(), " ") end,
        }
        function onMessage(conn, message)
            local verb, channel = message:match("^(%a+) ?(.*)$")
            local result, why = actions[verb](conn, channel)
            conn:send(tostring(result) .. (verb ~= "say" and why and ": " .. why or ""))
        end
        """

    @Test("except leaves the author out, on its own worker and on the other")
    func except() throws {
        try withServer(scripts: ["main.lua": Self.script]) { server in
            let clients = try server.connectOnEachWorker() + server.connectOnEachWorker()
            for client in clients { #expect(try client.ask("join room") == "true") }
            #expect(try clients[0].ask("say room") == "true")
            for client in clients.dropFirst() { #expect(try client.receiveText() == "said") }
            #expect(try clients[0].receiveAll() == [])
        }
    }

    /// Leaving twice and joining twice are refused.
    @Test("an unsubscribed connection gets nothing more")
    func unsubscribe() throws {
        try withServer(scripts: ["main.lua": Self.script]) { server in
            let clients = try server.connectOnEachWorker()
            for client in clients { #expect(try client.ask("join room") == "true") }
            #expect(try clients[1].ask("join room") == "false: already subscribed")
            #expect(try clients[1].ask("leave room") == "true")
            #expect(try clients[1].ask("leave room") == "false: not subscribed")
            #expect(try clients[0].ask("say room") == "true")
            #expect(try clients[1].receiveAll() == [])
        }
    }

    @Test("a closed connection leaves its channels and an empty channel ends")
    func gone() throws {
        try withServer(scripts: ["main.lua": Self.script]) { server in
            let clients = try server.connectOnEachWorker()
            for client in clients { #expect(try client.ask("join room") == "true") }
            #expect(try server.subscribers(of: "room") == 2)
            try clients[0].close()
            try clients[0].expectClose()
            #expect(try server.subscribers(of: "room") == 1)
            try clients[1].close()
            try clients[1].expectClose()
            #expect(try server.subscribers(of: "room") == nil)
            #expect(try server.nodeState()["subscriptions"] == 0)
        }
    }

    /// Leaving one makes room.
    @Test("websocket.maxChannels bounds a connection's channels")
    func limit() throws {
        try withServer(scripts: ["main.lua": Self.script], configure: { $0.websocket.maxChannels = 2 }) { server in
            let client = try server.connect()
            #expect(try client.ask("join a") == "true")
            #expect(try client.ask("join b") == "true")
            #expect(try client.ask("join c") == "false: too many channels")
            #expect(try client.ask("leave a") == "true")
            #expect(try client.ask("join c") == "true")
            #expect(try client.ask("list") == "b c")
        }
    }

    @Test(
        "a name that no channel can have is refused",
        arguments: ["", "bell\u{7}", "line\u{85}", String(repeating: "x", count: 256)])
    func names(name: String) throws {
        try withServer(scripts: ["main.lua": Self.script]) { server in
            let client = try server.connect()
            #expect(try client.ask("join \(name)") == "false: invalid channel name")
        }
    }

    /// The next message meets the new code.
    @Test("subscriptions and conn.data survive a reload on every worker")
    func reload() throws {
        let folder = try TemporaryFolder()
        let first = """
            function onOpen(conn)
                conn.data.name = conn.query.name
                conn:subscribe("room")
            end
            """
        try folder.write(first, to: "main.lua")
        try withServer(configure: { $0.scripts.folder = folder.path }) { server in
            let clients = try server.connectOnEachWorker("/?name=Ada")
            let second = #"function onMessage(conn) server.publish("room", conn.data.name .. server.version) end"#
            try folder.write(second, to: "main.lua")
            let reload = try HTTPClient.once("POST", "/v1/scripts/reload", port: server.adminPort)
            #expect(try reload.json()["version"] == 2)
            try clients[0].send("who am I?")
            for client in clients { #expect(try client.receiveText() == "Ada2") }
        }
    }
}

extension WebSocketClient {
    fileprivate func ask(_ question: String) throws -> String {
        try send(question)
        return try receiveText()
    }
}

extension TestServer {
    /// How many subscribers a channel has, nil when there is no such channel.
    fileprivate func subscribers(of channel: String) throws -> Int? {
        let list = try HTTPClient.once("GET", "/v1/channels", port: adminPort).json()
        return list["items"]?.array?.first { $0["channel"]?.string == channel }?["subscribers"]?.int
    }
}

import Testing

@testable import Scripting

@Suite("server", .bounded)
struct ServerTableTests {
    let stage: Stage

    init() throws {
        stage = try Stage()
    }

    @Test("publish answers true and the offset")
    func publish() throws {
        #expect(try stage.run("show(server.publish('news', {n = 1}, {except = conn}))") == ["true 7"])
        #expect(stage.host.calls.first == .publish("news", #"{"n":1}"#, binary: false, except: 1))
        _ = try stage.run(#"server.publish("news", "\255", {binary = true})"#)
        #expect(stage.host.calls.first == .publish("news", "\u{FFFD}", binary: true, except: nil))
    }

    @Test("publish answers true alone where the broker gives the offset later")
    func publishAccepted() throws {
        stage.host.publishResult = .published(offset: nil)
        #expect(try stage.run("show(select('#', server.publish('a', 'x')), server.publish('a', 'x'))") == ["1 true"])
    }

    @Test("publish answers false and why")
    func publishRefused() throws {
        stage.host.publishResult = .invalidName
        #expect(try stage.run("show(server.publish('', 'x'))") == ["false invalid channel name"])
        stage.host.publishResult = .refused("the broker is away")
        #expect(try stage.run("show(server.publish('a', 'x'))") == ["false the broker is away"])
    }

    @Test("a reason longer than the border carries is cut, not overrun")
    func longReason() throws {
        stage.host.publishResult = .refused(String(repeating: "x", count: 5_000))
        #expect(try stage.run("local _, why = server.publish('a', 'x') show(#why)") == ["248"])
    }

    @Test("an unknown option is named, with the nearest known one")
    func options() throws {
        let error = try stage.failure("server.publish('a', 'x', {exept = conn})")
        #expect(error.message == "server.publish: there is no option 'exept'; did you mean except")
        #expect(
            try stage.failure("server.publish('a', 'x', 5)").message
                == "server.publish: options must be a table, not number")
        #expect(
            try stage.failure("server.publish('a', 'x', {except = 5})").message
                == "server.publish: except must be a conn, not number")
    }

    @Test("send, broadcast and disconnect speak to the host")
    func others() throws {
        let shown = try stage.run(
            """
            show(server.send('c2', 'hi')) show(server.broadcast({1}, {binary = true}))
            show(server.disconnect('c2', 4000, 'go'))
            """
        )
        #expect(shown == ["true", "true", "true"])
        #expect(stage.host.calls.contains(.sendTo("c2", "hi", binary: false)))
        #expect(stage.host.calls.contains(.broadcast("[1]", binary: true)))
        #expect(stage.host.calls.contains(.disconnect("c2", 4000, "go")))
        stage.host.found = false
        #expect(
            try stage.run("show(server.send('c2', 'hi')) show(server.disconnect('c2'))") == [
                "false not found", "false not found",
            ])
    }

    @Test("version is that of the running bundle, also while it loads")
    func version() throws {
        try stage.load(
            ["main": "local v = server.version function onMessage(conn) conn:send{v, server.version} end"], version: 9)
        stage.message()
        #expect(stage.host.sent == ["[9,9]"])
        _ = try stage.prepare(["main": "local v = server.version"], version: 10)
        stage.message()
        #expect(stage.host.sent.last == "[9,9]")
    }

    @Test("an unknown field of server is an error and none can be set")
    func readOnly() throws {
        #expect(try stage.failure("server.publsh('a')").message == "server has no field 'publsh'")
        #expect(
            try stage.failure("server.publish = nil").message == "server.publish cannot be set: server is read-only")
        #expect(try stage.failure("rawset(server, 'publish', 1)").message == "rawset: the table is read-only")
    }

    @Test(
        "no outside effect is possible while a script loads",
        arguments: [
            "server.publish('a', 'x')", "server.send('a', 'x')", "server.broadcast('x')", "server.disconnect('a')",
            "server.after(1, print)", "server.cancel(1)", "kv.set('a', 1)", "kv.incr('a')", "kv.swap('a', 1, 2)",
            "kv.delete('a')",
        ])
    func loading(call: String) throws {
        let errors = try stage.prepare(["main": "\n\(call)"]).errors
        let function = call.prefix { $0 != "(" }
        #expect(
            errors.map(\.summary) == ["main.lua:2: \(function) cannot be called while a script loads; do it in onStart"]
        )
        #expect(stage.host.calls.isEmpty)
    }
}

// The texts that each type of value takes and refuses, as tables.

import LineLog
import Testing

@testable import Settings

@Suite("Values of the configuration", .bounded)
struct ConfigurationValuesTests {
    @Test(
        "a size is bytes, or a whole number of B, KiB, MiB or GiB",
        arguments: [
            ("1", 1), ("1048576", 1 << 20), ("1 B", 1), ("64KiB", 64 << 10), ("16 MiB", 16 << 20), ("16 mib", 16 << 20),
            ("1 GiB", 1 << 30), ("007", 7),
        ])
    func size(text: String, bytes: Int) throws {
        #expect(try loadConfiguration("admin: {maxBody: \(text)}").admin.maxBody == bytes)
        #expect(try loadConfiguration("", flags: [("admin.maxBody", text)]).admin.maxBody == bytes)
    }

    @Test(
        "anything else is no size",
        arguments: [
            "", " ", "0", "-1", "1.5 MiB", "2 GiB", "16 MB", "16M", "MiB", "16  MiB", "1 MiB ", "0x10", "1_000", "1e3",
            "99999999999999999999", "9999999999999 GiB", "٣", "1 KİB",
        ])
    func noSize(text: String) {
        #expect(
            configurationProblems("", flags: [("admin.maxBody", text)]) == [
                "command line: admin.maxBody is \"\(text)\"; allowed: a size from 1 B to 1 GiB, in B, KiB, MiB or GiB"
            ])
    }

    @Test(
        "a time is a whole number of ms, s, m or h",
        arguments: [
            ("10ms", Duration.milliseconds(10)), ("100 ms", .milliseconds(100)), ("1s", .seconds(1)),
            ("5m", .seconds(300)),
            ("1h", .seconds(3600)), ("3600s", .seconds(3600)), ("90 S", .seconds(90)),
        ])
    func time(text: String, time: Duration) throws {
        #expect(try loadConfiguration("timeouts: {close: \(text)}").timeouts.close == time)
    }

    @Test(
        "anything else is no time",
        arguments: ["", "10", "0s", "9ms", "61m", "2h", "-1s", "1.5s", "1 day", "s", "1m30s", "9223372036854775807h"])
    func noTime(text: String) {
        #expect(
            configurationProblems("", flags: [("timeouts.close", text)]) == [
                "command line: timeouts.close is \"\(text)\"; allowed: a time from 10ms to 1h, in ms, s, m or h"
            ])
    }

    /// 0 with a unit is none.
    @Test("a time that may be off is 0 or a time")
    func timeOrNever() throws {
        #expect(try loadConfiguration("keepalive: {pingInterval: 0}").keepalive.pingInterval == .zero)
        #expect(try loadConfiguration("keepalive: {pingInterval: 5s}").keepalive.pingInterval == .seconds(5))
        #expect(try loadConfiguration("keepalive: {pingInterval: 0}").render().contains("pingInterval: 0\n"))
        for text in ["0s", "00", "5", "999ms", "2h"] {
            #expect(
                configurationProblems("", flags: [("keepalive.pingInterval", text)]) == [
                    "command line: keepalive.pingInterval is \"\(text)\"; "
                        + "allowed: 0, or a time from 1s to 1h, in ms, s, m or h"
                ])
        }
    }

    @Test("a run of capitals is one word of an environment variable")
    func capitals() throws {
        let configuration = try loadConfiguration("", environment: ["PERIGEE_LIMITS_CONNECTIONS_PER_IP": "7"])
        #expect(configuration.limits.connectionsPerIP == 7)
    }

    @Test("a number is digits within the range", arguments: [("0", 0), ("1", 1), ("256", 256)])
    func number(text: String, number: Int) throws {
        #expect(try loadConfiguration("workers: \(text)").workers == number)
        #expect(try loadConfiguration("workers: '\(text)'").workers == number)
    }

    @Test(
        "anything else is no number",
        arguments: ["", "257", "-1", "+1", "1.0", "0x1", "many", "1 ", "18446744073709551616"])
    func noNumber(text: String) {
        #expect(
            configurationProblems("", environment: ["PERIGEE_WORKERS": text]) == [
                "PERIGEE_WORKERS: workers is \"\(text)\"; allowed: a whole number from 0 to 256"
            ])
    }

    @Test("a truth value is true or false and nothing else")
    func truth() throws {
        #expect(try loadConfiguration("scripts: {watch: false}").scripts.watch == false)
        #expect(try loadConfiguration("scripts: {upload: true}").scripts.upload)
        for text in ["yes", "on", "1", "True", "FALSE"] {
            #expect(
                configurationProblems("scripts: {watch: \(text)}") == [
                    "perigee.yaml:1:18: scripts.watch is \"\(text)\"; allowed: true or false"
                ])
        }
    }

    @Test("the demo page is for everybody, for nobody, or for this machine")
    func demo() throws {
        #expect(try loadConfiguration("demo: true").demo == .everybody)
        #expect(try loadConfiguration("demo: false").demo == .nobody)
        #expect(try loadConfiguration("demo: loopback").demo == .loopback)
        #expect(
            configurationProblems("demo: yes") == [
                "perigee.yaml:1:7: demo is \"yes\"; allowed: true, false, loopback"
            ])
    }

    @Test("a choice is one of its words, as they are written")
    func choice() throws {
        #expect(try loadConfiguration("log: {format: json}").log.format == .json)
        #expect(try loadConfiguration("scripts: {onError: close}").scripts.onError == .close)
        #expect(
            configurationProblems("log: {level: critical}") == [
                "perigee.yaml:1:14: log.level is \"critical\"; allowed: trace, debug, info, notice, warning, error"
            ])
        #expect(configurationProblems("scripts: {onError: Close}").count == 1)
    }

    @Test("tokens are distinct names, between commas in a variable")
    func tokens() throws {
        #expect(
            try loadConfiguration("websocket: {subprotocols: [chat, v2.json]}").websocket.subprotocols == [
                "chat", "v2.json",
            ])
        let fromText = {
            try loadConfiguration("", environment: ["PERIGEE_WEBSOCKET_SUBPROTOCOLS": $0]).websocket.subprotocols
        }
        #expect(try fromText(" chat , v2.json ") == ["chat", "v2.json"])
        #expect(try fromText("[chat, \"v2.json\"]") == ["chat", "v2.json"])
        #expect(try fromText("") == [])
        #expect(configurationProblems("websocket: {subprotocols: chat}").count == 1)
        #expect(configurationProblems("websocket: {subprotocols: [a b, a, a, '', [x]]}").count == 4)
        #expect(configurationProblems("", environment: ["PERIGEE_WEBSOCKET_SUBPROTOCOLS": "a,,b"]).count == 1)
        let many = (0...64).map { "t\($0)" }.joined(separator: ",")
        #expect(configurationProblems("", environment: ["PERIGEE_WEBSOCKET_SUBPROTOCOLS": many]).count == 1)
    }

    @Test("routes map paths to names of scripts below the folder, without .lua")
    func routes() throws {
        let expected = ["/": "main", "/chat": "rooms/chat", "*": "other"]
        #expect(
            try loadConfiguration("scripts:\n  routes:\n    /: main.lua\n    /chat: rooms/chat\n    '*': other").scripts
                .routes
                == expected)
        let text = "/=main,/chat=rooms/chat.lua,*=other"
        #expect(try loadConfiguration("", flags: [("scripts.routes", text)]).scripts.routes == expected)
        #expect(
            configurationProblems("scripts: {routes: {chat: x}}") == [
                """
                perigee.yaml:1:26: scripts.routes["chat"] is "x"; \
                allowed: a map from paths such as /chat, or *, to names of scripts such as rooms/chat
                """
            ])
        for script in ["../x", "/etc/x", "a//b", "", ".lua", "a/./b", "[]"] {
            #expect(
                configurationProblems("scripts: {routes: {/a: \(script.isEmpty ? "''" : script)}}").count == 1,
                "\(script)")
        }
        #expect(configurationProblems("", flags: [("scripts.routes", "/a")]).count == 1)
        #expect(configurationProblems("", flags: [("scripts.routes", "/a=x,/a=y")]).count == 1)
    }

    @Test("a folder is any path but an empty one")
    func folder() throws {
        #expect(try loadConfiguration("scripts: {folder: /srv/lua scripts}").scripts.folder == "/srv/lua scripts")
        #expect(configurationProblems("scripts: {folder: ''}").count == 1)
        #expect(configurationProblems("scripts: {folder: [a]}").count == 1)
        #expect(
            configurationProblems("scripts: {folder: }") == [
                "perigee.yaml:1:19: scripts.folder is nothing; allowed: the path of a folder"
            ])
    }
}

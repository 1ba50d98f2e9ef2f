import Testing

@testable import Scripting

@Suite("conn", .bounded)
struct ConnTests {
    let stage: Stage

    init() throws {
        stage = try Stage()
    }

    @Test("an echo sends text as text and binary as binary")
    func echo() throws {
        try stage.load(["main": "function onMessage(conn, message, binary) conn:send(message, binary) end"])
        stage.message("hällo")
        stage.message("\u{0}\u{1}", binary: true)
        #expect(stage.host.calls == [.send(1, "hällo", binary: false), .send(1, "\u{0}\u{1}", binary: true)])
    }

    @Test("send takes a number as its text and a table as JSON")
    func sendValues() throws {
        #expect(try stage.run("conn:send(42) conn:send(1.5) conn:send{a = {1, 2}}") == ["42", "1.5", #"{"a":[1,2]}"#])
    }

    @Test("sendBinary sends bytes that are not text")
    func sendBinary() throws {
        _ = try stage.run(#"conn:sendBinary("\255\0")"#)
        #expect(stage.host.calls == [.send(1, "\u{FFFD}\u{0}", binary: true)])
    }

    @Test(
        "send answers true, or false with the reason",
        arguments: [
            (SendResult.sent, "true nil"), (.closed, "false closed"), (.slow, "false slow"),
        ])
    func sendAnswers(result: SendResult, shown: String) throws {
        stage.host.sendResult = result
        #expect(try stage.run("local ok, why = conn:send('x') show(ok, why)").last == shown)
    }

    @Test("send refuses text of any length that is not UTF-8", arguments: [1, 7, 8, 31, 32, 33, 100])
    func sendRefusesInvalidText(length: Int) throws {
        let error = try stage.failure("conn:send(('a'):rep(\(length - 1)) .. '\\xC0')")
        #expect(error.message == "conn:send: text must be valid UTF-8; use conn:sendBinary for bytes")
        #expect(error.line == 2)
    }

    @Test(
        "text is judged by RFC 3629",
        arguments: [
            (#"\x7F"#, true), (#"\xC2\x80"#, true), (#"\xDF\xBF"#, true), (#"\xE0\xA0\x80"#, true),
            (#"\xED\x9F\xBF"#, true), (#"\xEE\x80\x80"#, true), (#"\xF0\x90\x80\x80"#, true),
            (#"\xF4\x8F\xBF\xBF"#, true),
            (#"\x80"#, false), (#"\xC1\xBF"#, false), (#"\xC2"#, false), (#"\xE0\x9F\xBF"#, false),
            (#"\xED\xA0\x80"#, false), (#"\xF0\x8F\xBF\xBF"#, false), (#"\xF4\x90\x80\x80"#, false),
            (#"\xF5\x80\x80\x80"#, false),
            (#"\xE2\x82"#, false), (#"\xC2\x41"#, false),
        ])
    func utf8(text: String, isValid: Bool) throws {
        #expect(try stage.run("show(pcall(conn.send, conn, '\(text)'))").last?.hasPrefix("\(isValid)") == true)
    }

    @Test("send refuses values that are neither text nor table", arguments: ["nil", "true", "print", "conn"])
    func sendRefusesOthers(value: String) throws {
        let error = try stage.failure("conn:send(\(value))")
        #expect(error.message.hasPrefix("conn:send: expected a string, a number or a table, not "))
    }

    @Test("close sends the code and the reason, 1000 if there is none")
    func close() throws {
        _ = try stage.run("conn:close() conn:close(4001, 'no')")
        #expect(stage.host.calls == [.close(1, 1000, ""), .close(1, 4001, "no")])
    }

    @Test("close refuses codes that no endpoint may send", arguments: [0, 999, 1004, 1005, 1006, 1015, 2000, 5000])
    func closeCodes(code: Int) throws {
        let error = try stage.failure("conn:close(\(code))")
        #expect(error.message == "conn:close: \(code) is not a close code; use 1000 or one from 3000 to 4999")
    }

    @Test("close refuses a reason that no close frame has room for")
    func closeReason() throws {
        #expect(try stage.run("show(pcall(conn.close, conn, 1000, ('x'):rep(123)))") == ["true true"])
        let error = try stage.failure("conn:close(1000, ('x'):rep(124))")
        #expect(error.message == "conn:close: the reason must be UTF-8 of at most 123 bytes")
    }

    @Test(
        "subscribe answers true, or false with the reason",
        arguments: [
            (SubscribeResult.subscribed, "true"), (.alreadySubscribed, "false already subscribed"),
            (.closed, "false closed"), (.invalidName, "false invalid channel name"),
            (.tooMany, "false too many channels"),
        ])
    func subscribe(result: SubscribeResult, shown: String) throws {
        stage.host.subscribeResult = result
        #expect(try stage.run("show(conn:subscribe('news'))") == [shown])
        #expect(stage.host.calls.first == .subscribe(1, "news"))
    }

    @Test("unsubscribe and channels speak to the host")
    func channels() throws {
        stage.host.channelNames = ["a", "b"]
        #expect(
            try stage.run("show(conn:unsubscribe('a')) show(table.concat(conn:channels(), ','))") == ["true", "a,b"])
        stage.host.found = false
        #expect(try stage.run("show(conn:unsubscribe('a'))") == ["false not subscribed"])
    }

    @Test("identify sets a user and nil forgets it")
    func identify() throws {
        #expect(try stage.run("conn:identify('ann') show(conn:identify(nil))") == ["true"])
        #expect(stage.host.calls.prefix(2) == [.identify(1, "ann"), .identify(1, nil)])
    }

    @Test("properties come from the host, absent ones are nil")
    func properties() throws {
        let shown = try stage.run(
            "show(conn.id, conn.user, conn.ip, conn.path, conn.subprotocol, conn.isOpen, conn.queued)")
        #expect(shown == ["c1 nil 10.0.0.9 /chat nil true 42"])
    }

    @Test("query has the first value of a name and every pair in order")
    func query() throws {
        stage.host.query = [("channel", "a"), ("channel", "b"), ("name", ""), ("1", "one")]
        let shown = try stage.run(
            """
            local q = conn.query
            show(q.channel, q.name, #q, q.other, q["1"])
            for _, pair in ipairs(q) do show(pair.name, pair.value) end
            """)
        #expect(shown == ["a  4 nil one", "channel a", "channel b", "name ", "1 one"])
    }

    @Test("headers joins repeated names with a comma")
    func headers() throws {
        stage.host.headers = [("accept", [0x61]), ("host", [0xE9]), ("accept", [0x62])]
        #expect(try stage.run("show(conn.headers.accept, conn.headers.host == '\\xE9')") == ["a, b true"])
    }

    @Test("data starts empty, keeps its fields, and can be set")
    func data() throws {
        try stage.load([
            "main":
                """
            function onOpen(conn) conn.data.n = 1 end function onMessage(conn)
            conn:send(conn.data.n) conn.data = {n = 2} end
            """
        ])
        #expect(stage.open().isDone)
        stage.message()
        stage.message()
        #expect(stage.host.sent == ["1", "2"])
    }

    @Test("each connection has its own data")
    func dataIsSeparate() throws {
        try stage.load(["main": "function onMessage(conn, m) conn.data[#conn.data + 1] = m conn:send(#conn.data) end"])
        stage.message("a")
        stage.message("b", on: ConnectionHandle(slot: 2, generation: 1))
        stage.message("c")
        #expect(stage.host.sent == ["1", "1", "2"])
    }

    /// The old object answers closed.
    @Test("the slot's next owner starts fresh")
    func staleConn() throws {
        try stage.load([
            "main":
                """
            local old function onMessage(conn, m) if m == 'keep' then old = conn
            conn.data.x = 'mine' return end conn:send(tostring(conn.data.x))
            conn:send(select(2, old:send('x'))) conn:send(tostring(old.isOpen)) conn:send(tostring(old.id))
            conn:send(old.data.x) end
            """
        ])
        stage.message("keep")
        stage.engine.forget(stage.first)
        stage.host.isGone = [stage.first]
        let outcome = stage.message("look", on: ConnectionHandle(slot: 1, generation: 2))
        #expect(outcome.error == nil)
        #expect(stage.host.sent == ["nil", "closed", "false", "nil", "mine"])
    }

    @Test("the slot's next owner starts fresh even if the last was not forgotten")
    func unforgotten() throws {
        try stage.load([
            "main": "function onMessage(conn) conn.data.n = (conn.data.n or 0) + 1 conn:send(conn.data.n) end"
        ])
        stage.message()
        stage.message(on: ConnectionHandle(slot: 1, generation: 2))
        #expect(stage.host.sent == ["1", "1"])
    }

    @Test("forget of a stale handle leaves the slot's new owner alone")
    func forgetStale() throws {
        try stage.load([
            "main": "function onMessage(conn) conn.data.n = (conn.data.n or 0) + 1 conn:send(conn.data.n) end"
        ])
        let second = ConnectionHandle(slot: 1, generation: 2)
        stage.message(on: second)
        stage.engine.forget(stage.first)
        stage.message(on: second)
        #expect(stage.host.sent == ["1", "2"])
    }

    @Test("an unknown field cannot be read, no other field be set")
    func unknownFields() throws {
        #expect(try stage.failure("return conn.identity").message == "conn has no field 'identity'")
        #expect(
            try stage.failure("conn.user = 'x'").message == "conn.user cannot be set; keep your own values in conn.data"
        )
    }

    @Test("a method called with a dot says to use a colon")
    func colon() throws {
        #expect(try stage.failure("conn.send('x')").message == "conn:send must be called with a colon: conn:send(...)")
    }

    @Test("the metatable of conn is out of reach")
    func metatable() throws {
        #expect(try stage.run("show(getmetatable(conn), type(conn))") == ["false userdata"])
    }
}

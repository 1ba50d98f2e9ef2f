import Testing

@testable import Scripting

@Suite("Questions for scripts", .bounded)
struct QuestionTests {
    private func push(_ data: [UInt8], binary: Bool = false, _ more: [ScriptQuestion.Field] = []) -> ScriptQuestion {
        ScriptQuestion(
            fields: [("channel", Array("news".utf8)), ("data", data)] + more, isBinary: binary)
    }

    private func publish(_ body: String, _ question: ScriptQuestion? = nil) throws -> ScriptReply {
        let stage = try Stage("function onPublish(p)\n\(body)\nend")
        return stage.engine.onPublish(question ?? push(Array("hi".utf8)))
    }

    private func request(_ body: String) throws -> ScriptReply {
        let stage = try Stage("function onRequest(r)\n\(body)\nend")
        let question = ScriptQuestion(
            fields: [("method", Array("POST".utf8)), ("body", [0, 255])], query: [("a", "1"), ("a", "2")],
            headers: [("x-a", [0x31])])
        return stage.engine.onRequest(stage.main, question)
    }

    @Test("nothing and true let a publication pass unchanged", arguments: ["", "return true", "return nil"])
    func pass(body: String) throws {
        guard case .proceed(nil) = try publish(body) else { return #expect(Bool(false), "it did not pass") }
    }

    @Test("the publication has its fields and a flag for binary")
    func fields() throws {
        let body = "return false, p.channel .. ' ' .. #p.data .. ' ' .. tostring(p.binary) .. ' ' .. tostring(p.key)"
        guard case .refused("news 2 true k") = try publish(body, push([1, 255], binary: true, [("key", [107])])),
            case .refused("news 2 false nil") = try publish(body)
        else { return #expect(Bool(false)) }
    }

    @Test("false refuses, with a reason or without")
    func refusal() throws {
        guard case .refused("no") = try publish("return false, 'no'"),
            case .refused("refused") = try publish("return false")
        else { return #expect(Bool(false)) }
    }

    @Test(
        "a table changes the fields that it names",
        arguments: [
            ("return {data = 'x'}", nil, nil, "x", false),
            ("p.data = p.data .. '!' return p", "news", nil, "hi!", false),
            ("return {channel = 'b', key = 'k'}", "b", "k", nil, false),
            ("return {data = {a = 1}}", nil, nil, #"{"a":1}"#, false),
            ("return {data = 'x', binary = true}", nil, nil, "x", true),
            ("return {binary = true}", nil, nil, nil, true),
            ("return {}", nil, nil, nil, false), ("return {data = ''}", nil, nil, "", false),
        ] as [(String, String?, String?, String?, Bool)])
    func change(body: String, channel: String?, key: String?, data: String?, isBinary: Bool) throws {
        guard case .proceed(let change?) = try publish(body) else { return #expect(Bool(false), "nothing changed") }
        let expected = PublicationChange(
            channel: channel.map { Array($0.utf8) }, key: key.map { Array($0.utf8) }, data: data.map { Array($0.utf8) },
            isBinary: isBinary)
        #expect(change == expected)
    }

    @Test(
        "a malformed answer is an error of the script",
        arguments: [
            ("return 7", "onPublish must return true, false or a publication, not number"),
            ("return {chanel = 'x'}", "onPublish: there is no option 'chanel'; did you mean channel"),
            ("return {channel = 7}", "onPublish: channel must be a string, not number"),
            ("return {data = '\\xff'}", "onPublish: text must be valid UTF-8; use {binary = true} for bytes"),
            ("return false, {}", "onPublish: the reason of a refusal must be a string, not table"),
            ("error('oops')", "oops"),
        ])
    func wrong(body: String, message: String) throws {
        guard case .failed(let error) = try publish(body) else { return #expect(Bool(false), "it did not fail") }
        #expect(error.message == message && error.handler == "onPublish")
    }

    @Test("without onPublish the answer is absent and no event runs")
    func absent() throws {
        let stage = try Stage("function onMessage() end")
        guard case .absent = stage.engine.onPublish(push([])) else { return #expect(Bool(false)) }
        guard case .absent = stage.engine.onRequest(stage.main, push([])) else { return #expect(Bool(false)) }
        #expect(stage.engine.counts.allSatisfy { $0.calls == 0 })
    }

    /// The answer has status, body and headers.
    @Test("a request has all its parts")
    func response() throws {
        let reply = try request(
            """
            return 201, {method = r.method, size = #r.body, a = r.query.a, h = r.headers["x-a"]}, {["X-B"] = "2"}
            """)
        guard case .response(let response) = reply else { return #expect(Bool(false), "\(reply)") }
        #expect(response.status == 201 && response.type == "application/json")
        let text = String(decoding: response.body, as: UTF8.self)
        for part in [#""method":"POST""#, #""size":2"#, #""a":"1""#, #""h":"1""#] { #expect(text.contains(part)) }
        #expect(response.headers.map(\.name) == ["X-B"] && response.headers.map(\.value) == ["2"])
    }

    @Test(
        "the body determines its media type",
        arguments: [
            ("return 200, 'ä'", 200, "text/plain; charset=utf-8", 2),
            ("return 200, '\\xff'", 200, "application/octet-stream", 1),
            ("return 404", 404, "", 0), ("", 204, "", 0), ("return 200, {}", 200, "application/json", 2),
            ("return 200, 7", 200, "text/plain; charset=utf-8", 1),
        ])
    func bodies(body: String, status: Int, type: String, count: Int) throws {
        guard case .response(let response) = try request(body) else { return #expect(Bool(false)) }
        #expect(response.status == status && response.type == type && response.body.count == count)
    }

    @Test(
        "a response that cannot be sent is an error of the script",
        arguments: [
            ("return 'ok'", "onRequest must return a status from 200 to 599, then a body, not ok"),
            ("return 99", "onRequest must return a status from 200 to 599, then a body, not 99"),
            ("return 200, print", "onRequest: the body must be a string or a table, not function"),
            ("return 200, '', 'x'", "onRequest: the headers must be a table, not string"),
            ("return 200, '', {['a b'] = '1'}", "onRequest: 'a b' is not a header's name"),
            ("return 200, '', {a = 'x\\r\\nb: c'}", "onRequest: the header 'a' must be a string of one line"),
            (
                "return 200, '', {['Content-Length'] = '1'}",
                "onRequest: the header 'Content-Length' is the server's to write"
            ),
        ])
    func wrongResponse(body: String, message: String) throws {
        guard case .failed(let error) = try request(body) else { return #expect(Bool(false), "it did not fail") }
        #expect(error.message == message)
    }

    @Test("the memory of a large question and a large answer is freed")
    func largeAnswer() throws {
        let stage = try Stage(
            """
            function onRequest(r) return 200, r.body .. ("x"):rep(1 << 20) end
            function onPublish(p) return {data = p.data .. ("x"):rep(1 << 20)} end
            function onUpgrade() return false, 403, ("x"):rep(1 << 20) end
            """)
        let question = ScriptQuestion(fields: [("body", Array(repeating: 65, count: 1 << 20)), ("data", [65])])
        let request = UpgradeRequest(path: "/", ip: "::1", query: [], headers: [], subprotocols: [])
        stage.engine.collect()
        let before = stage.engine.memoryInUse
        guard case .response(let response) = stage.engine.onRequest(stage.main, question),
            case .proceed(let change?) = stage.engine.onPublish(question),
            case .refuse(_, let body) = stage.engine.onUpgrade(stage.main, stage.first, request: request)
        else { return #expect(Bool(false), "they do not answer") }
        #expect(response.body.count == 2 << 20 && change.data?.count == 1 + 1 << 20 && body.utf8.count == 1 << 20)
        stage.engine.collect()
        #expect(stage.engine.memoryInUse - before < 80 << 10)
    }

    @Test("onSubscribe says yes, or no and why")
    func subscribe() throws {
        let stage = try Stage(
            "function onSubscribe(conn, channel) if channel ~= 'a' then return false, channel end end")
        func ask(_ channel: String) -> ScriptReply {
            Array(channel.utf8).withUnsafeBytes { stage.engine.onSubscribe(stage.main, stage.first, channel: $0) }
        }
        guard case .proceed(nil) = ask("a"), case .refused("secret") = ask("secret") else {
            return #expect(Bool(false))
        }
    }

    @Test("a handler that waits answers when it goes on")
    func waiting() throws {
        let stage = try Stage(
            "function onPublish(p) server.sleep(1) return {data = p.data:upper()} end function onRequest() server.sleep(1) return 200, 'later' end"
        )
        guard case .waiting = stage.engine.onPublish(push(Array("hi".utf8))),
            case .waiting = stage.engine.onRequest(stage.main, push([]))
        else { return #expect(Bool(false), "they do not wait") }
        let tickets = stage.host.calls.compactMap { if case .sleep(let ticket, _) = $0 { ticket } else { nil } }
        try #require(tickets.count == 2)
        guard case .reply(_, .proceed(let change?))? = stage.engine.resume(tickets[0], with: .done),
            case .reply(_, .response(let response))? = stage.engine.resume(tickets[1], with: .done)
        else { return #expect(Bool(false), "they do not answer") }
        #expect(change.data == Array("HI".utf8) && response.body == Array("later".utf8))
    }
}

import Testing

@testable import Scripting

@Suite("onUpgrade", .bounded)
struct UpgradeTests {
    let stage: Stage
    let request = UpgradeRequest(
        path: "/chat", ip: "10.0.0.9", query: [("token", "t1"), ("token", "t2")],
        headers: [
            ("host", Array("h".utf8)), ("cookie", Array("a=1; b = x y ;; =z; a=2".utf8)), ("cookie", Array("c=3".utf8)),
        ],
        subprotocols: ["chat", "mqtt"])

    init() throws {
        stage = try Stage()
    }

    private func upgrade(_ body: String) throws -> UpgradeOutcome {
        try stage.load(
            ["main": "function onUpgrade(request)\n\(body)\nend function onMessage(conn, m) conn:send(conn.data) end"],
            version: stage.engine.version + 1)
        return stage.engine.onUpgrade(stage.main, stage.first, request: request)
    }

    private func refusal(_ body: String) throws -> String {
        guard case .refuse(let status, let body) = try upgrade(body) else { return "not refused" }
        return "\(status) \(body)"
    }

    @Test("the request shows the head of the upgrade")
    func requestTable() throws {
        let body =
            """
            local r = request
            local parts = {r.path, r.ip, r.query.token, #r.query, r.query[2].value, r.headers.host}
            for _, value in ipairs{r.cookies.a, r.cookies.b, r.cookies.c, r.subprotocols[2]} do parts[#parts + 1] = value end
            return false, 400, table.concat(parts, "|")
            """
        #expect(try refusal(body) == "400 /chat|10.0.0.9|t1|2|t2|h|1|x y|3|mqtt")
    }

    @Test("true accepts like a script without the handler")
    func accepts() throws {
        guard case .accept(nil) = try upgrade("return true") else { throw Unexpected() }
        try stage.load(["main": "function onOpen(conn) end"], version: 99)
        guard case .accept(nil) = stage.engine.onUpgrade(stage.main, stage.first, request: request) else {
            throw Unexpected()
        }
        #expect(!stage.engine.defines(.upgrade, stage.main))
    }

    @Test("a table becomes conn.data")
    func table() throws {
        guard case .accept(nil) = try upgrade("return {user = 'ann'}") else { throw Unexpected() }
        stage.message()
        #expect(stage.host.sent == [#"{"user":"ann"}"#])
    }

    @Test("a table chooses the subprotocol among those offered")
    func subprotocol() throws {
        guard case .accept("mqtt") = try upgrade("return {subprotocol = 'mqtt'}") else { throw Unexpected() }
        guard case .failed(let error) = try upgrade("return {subprotocol = 'soap'}") else { throw Unexpected() }
        #expect(error.summary == "main.lua: onUpgrade chose the subprotocol 'soap', which was not offered")
    }

    @Test("false refuses with status and body, 403 when none is given")
    func refuses() throws {
        #expect(try refusal("return false, 401, 'who are you?'") == "401 who are you?")
        #expect(try refusal("return false") == "403 ")
        #expect(try refusal("error{code = 401, reason = 'no token'}") == "401 no token")
        #expect(try refusal("error{code = 4001, reason = 'no'}") == "403 no")
    }

    @Test(
        "anything else is a failure, so a forgotten return accepts no client",
        arguments: [
            ("", "onUpgrade must return true, a table or false, not nil"),
            ("return 1", "onUpgrade must return true, a table or false, not number"),
            ("return false, 200", "onUpgrade: the status of a refusal must be from 300 to 599"),
            ("return false, 'x'", "onUpgrade: the status of a refusal must be from 300 to 599"),
            ("return false, 400, {}", "onUpgrade: the body of a refusal must be a string, not a table"),
            ("error('oops')", "oops"),
        ])
    func failures(body: String, message: String) throws {
        guard case .failed(let error) = try upgrade(body) else { throw Unexpected() }
        #expect(error.message == message)
        #expect(error.file == "main.lua")
        #expect(stage.engine.count(of: .upgrade, stage.main) == HandlerCount(calls: 1, errors: 1))
    }

    @Test("a cookie header of any shape is read")
    func cookies() {
        let odd = UpgradeRequest(
            path: "/", ip: "",
            headers: [("cookie", Array(";;=;a;b=;c==x; \t d=\u{7F} ;e=".utf8) + [0xE9]), ("cookie", [])])
        #expect(
            odd.cookies.map { $0.name + [0x3D] + $0.value }
                == ["b=", "c==x", "d=\u{7F}"].map { Array($0.utf8) } + [[0x65, 0x3D, 0xE9]])
    }
}

struct Unexpected: Error {}

// A table of `config` is a read-only stand-in, which is empty itself. Every function that takes a script's table reads
// the real one.

import Testing

@testable import Scripting

@Suite("tables of config as arguments", .bounded)
struct OptionTableTests {
    private static let settings = """
        {"headers": {"x-a": "1"}, "query": {"q": 2}, "deep": {"a": {"b": [1]}}, "list": [3, 1, 2], "labels": {"route": "a"}, "fields": {"f": [1]},
         "get": {"headers": {"x-b": "2"}, "query": {"r": true}, "timeout": 3, "maxBytes": 9, "redirects": 1},
         "post": {"json": {"a": {"b": [1]}}, "headers": {"x-c": "3"}}, "body": {"body": "text"},
         "request": {"url": "http://a/", "method": "PUT", "json": [1, 2], "query": {"s": "t"}},
         "publish": {"binary": true, "key": "k"}, "send": {"binary": true}, "raw": {"raw": true},
         "claims": {"sub": "x", "aud": "a", "iss": "i"}, "sign": {"alg": "HS256", "kid": "7", "expiresIn": 60},
         "verify": {"alg": ["HS256"], "aud": ["a", "b"], "iss": ["i"]}, "wrong": {"alg": ["HS256"], "aud": ["c"]},
         "close": {"code": 4001, "reason": "no"}, "upgrade": {"subprotocol": "chat", "deep": {"x": 1}},
         "publication": {"channel": "b", "key": "k", "data": {"z": [1]}}, "unknown": {"no": 1}}
        """

    /// Bodies of a handler in which C is the configuration; each depends on the content of a table.
    private static let bodies = [
        "http.get('http://a/', C.get)", "http.get('http://a/', {headers = C.headers, query = C.query})",
        "http.post('http://a/', C.post)", "http.post('http://a/', C.body)", "http.post('http://a/', {json = C.deep})",
        "http.request(C.request)", "http.request{url = 'http://a/', headers = C.headers}",
        "conn:send(C.list)", "conn:send{C.list, {C.headers}}", "show(json.encode(C.deep))",
        "show(json.encode{C.list, C.labels})", "server.publish('c', 'x', C.publish)", "server.publish('c', C.list)",
        "server.send('id', 'x', C.send)", "server.send('id', C.list)", "server.sendUser('u', 'x', C.send)",
        "server.broadcast('x', C.send)", "server.broadcast(C.labels)",
        "metrics.count('m', 1, C.labels)", "metrics.gauge('g', 2, C.labels)", "metrics.observe('o', 2, C.labels)",
        "log.info('x', C.fields)", "log.warn('x', {f = C.list})", "log.error(C.labels.route, C.labels)",
        "show(crypto.sha256('a', C.raw):byte(1, 4))", "show(crypto.hmac('sha256', 'k', 'a', C.raw):byte(1, 4))",
        "show(#jwt.sign(C.claims, 'secret', {alg = 'HS256'}))", "show(#jwt.sign({sub = 'x'}, 'secret', C.sign))",
        "show(json.encode((jwt.verify(jwt.sign(C.claims, 's', {alg = 'HS256'}), 's', C.verify))):len())",
        "show(jwt.verify(jwt.sign(C.claims, 's', {alg = 'HS256'}), 's', C.wrong))",
        "show(pcall(jwt.sign, {exp = 1}, 's', C.sign))", "show(pcall(jwt.sign, C.list, 's', {alg = 'HS256'}))",
        "error(C.close)", "show(pcall(server.publish, 'c', 'x', C.unknown))",
        "show(pcall(http.get, 'http://a/', C.unknown))",
        "show(pcall(metrics.count, 'm', 1, C.list))", "show(pcall(crypto.sha256, 'a', C.unknown))",
        "show(next(C.labels))", "show(next(C.list))", "show(next({}), next(C.labels, 'route'))",
        "show(#C.list, rawlen(C.list))",
        "show(rawget(C.labels, 'route'), rawget(C.labels, 'none'))", "for k, v in pairs(C.labels) do show(k, v) end",
        "for k, v in next, C.labels do show(k, v) end", "for i, v in ipairs(C.list) do show(i, v) end",
        "show(table.concat(C.list, '-'), table.unpack(C.list))", "show(('route'):gsub('%w+', C.labels))",
        "show(table.concat(table.move(C.list, 1, 3, 1, {}), '-'))", "show(select('#', table.unpack(C.list)))",
    ]

    /// The rest of a script, with its answers.
    private static let handlers = [
        "function onUpgrade() return C.upgrade end", "function onUpgrade() error(C.close) end",
        "function onPublish() return C.publication end", "function onPublish() return {data = C.list} end",
        "function onRequest() return 200, C.deep, C.headers end", "function onRequest() return 200, 'x', C.headers end",
        "function onRequest() return 200, {a = C.list} end",
    ]

    /// The calls of a script with the stand-ins, or with the same values in ordinary tables.
    private func effects(_ source: String, plain: Bool) throws -> [String] {
        let stage = try Stage(options: ScriptOptions(settings: Self.settings))
        let values = plain ? "json.decode(json.encode(config))" : "config"
        try stage.load(["main": "local C = \(values)\n\(source)"])
        let outcome = stage.message()
        let request = UpgradeRequest(path: "/", ip: "::1", query: [], headers: [], subprotocols: ["chat"])
        let question = ScriptQuestion(fields: [("channel", Array("news".utf8)), ("data", [65])])
        var effects = ["\(outcome)", "\(stage.host.calls)", "\(stage.host.requests.map(\.request))"]
        effects.append("\(stage.engine.metrics.map { "\($0.name) \($0.labels)" })")
        effects.append("\(stage.engine.onUpgrade(stage.main, stage.first, request: request))")
        effects.append("\(stage.engine.onPublish(question)) \(stage.engine.onRequest(stage.main, question))")
        return effects
    }

    @Test("act as tables of the script's own in every function that takes one")
    func functions() throws {
        #expect(Self.bodies.count >= 45)
        for body in Self.bodies {
            let source = Stage.script(body)
            let plain = try effects(source, plain: true)
            #expect(try effects(source, plain: false) == plain, "\(body)")
            #expect(plain[0].contains("failed") == false, "\(body): \(plain[0])")
        }
    }

    @Test("act like ordinary tables in the answers of handlers")
    func answers() throws {
        for source in Self.handlers {
            let plain = try effects(source, plain: true)
            #expect(try effects(source, plain: false) == plain, "\(source)")
            #expect(plain[4].contains("failed") == false && plain[5].contains("failed") == false, "\(plain)")
        }
    }

    @Test("stay read-only, also as conn.data")
    func readOnly() throws {
        let stage = try Stage(
            """
            function onUpgrade() return config.upgrade end
            function onMessage(conn)
                conn:send(conn.data.subprotocol .. conn.data.deep.x)
                conn:send(tostring(pcall(function() conn.data.deep.x = 2 end)))
                conn:send(tostring(pcall(rawset, conn.data, "a", 1)))
                conn:send(tostring(config.upgrade.deep.x))
            end
            """, options: ScriptOptions(settings: Self.settings))
        let request = UpgradeRequest(path: "/", ip: "::1", query: [], headers: [], subprotocols: ["chat"])
        _ = stage.engine.onUpgrade(stage.main, stage.first, request: request)
        #expect(stage.message().isDone)
        #expect(stage.host.sent == ["chat1", "false", "false", "1"])
    }
}

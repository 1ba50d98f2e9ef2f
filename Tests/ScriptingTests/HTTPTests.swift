// The http table: the requests to the host, the results for scripts, and mistakes.

import Testing

@testable import Scripting

@Suite("http", .bounded)
struct HTTPTests {
    private func stage(_ body: String) throws -> Stage {
        let stage = try Stage()
        try stage.load(["main": Stage.script(body)])
        return stage
    }

    private func answer(_ stage: Stage, _ answer: WaitAnswer) throws -> EventOutcome {
        let ticket = try #require(stage.host.requests.last?.ticket, "nothing was asked")
        guard case .event(_, let outcome) = try #require(stage.engine.resume(ticket, with: answer)) else {
            throw Unexpected()
        }
        return outcome
    }

    private struct Unexpected: Error {}

    @Test("a request reaches the host as the script wrote it")
    func request() throws {
        let stage = try stage(
            """
            http.post("http://shop/orders", {
              query = {q = "a&b"}, headers = {["X-Count"] = 3}, body = "a\\0b", timeout = 1.5, maxBytes = 100, redirects = 2
            })
            """)
        #expect(stage.message().isWaiting)
        let request = try #require(stage.host.requests.first?.request)
        #expect(request.method == "POST" && request.url == "http://shop/orders")
        #expect(request.query.map { "\($0)=\($1)" } == ["q=a&b"])
        #expect(request.headers.map { "\($0): \($1)" } == ["X-Count: 3"])
        #expect(request.body == [97, 0, 98] && !request.isJSON)
        #expect(request.timeout == 1.5 && request.maxBytes == 100 && request.redirects == 2)
    }

    @Test("the server decides options that are absent")
    func defaults() throws {
        let stage = try stage("http.get('http://shop/')")
        #expect(stage.message().isWaiting)
        let request = try #require(stage.host.requests.first?.request)
        #expect(request.method == "GET" && request.query.isEmpty && request.headers.isEmpty && request.body == nil)
        #expect(request.timeout == nil && request.maxBytes == nil && request.redirects == 0)
    }

    /// Any method can be asked for.
    @Test("a table goes as JSON")
    func json() throws {
        let stage = try stage("http.request{url = 'http://shop/', method = 'PUT', json = {a = {1, 2}}}")
        #expect(stage.message().isWaiting)
        let request = try #require(stage.host.requests.first?.request)
        #expect(request.method == "PUT" && request.isJSON)
        #expect(request.body.map { String(decoding: $0, as: UTF8.self) } == #"{"a":[1,2]}"#)
    }

    @Test("headers that come again and again are joined once")
    func repeatedHeaders() throws {
        var allocations: [Int] = []
        for count in [1_000, 8_000] {
            let stage = try stage(
                """
                local r = http.get("http://shop/")
                show(#r.headers.a, r.headers.a:sub(1, 13), r.headers.b, r.headers.c)
                """)
            #expect(stage.message().isWaiting)
            let many = (0..<count).flatMap { i in
                i < 2 ? [("a", "value\(i)"), ("b", "x")] : [("a", "value\(i % 10)")]
            }
            let headers = (many + [("c", "1")]).map { (name: $0.0, value: Array($0.1.utf8)) }
            let response = ScriptResponse(status: 200, headers: headers, body: [])
            let before = stage.engine.allocations
            #expect(try answer(stage, .response(response)).isDone)
            allocations.append(stage.engine.allocations - before)
            #expect(stage.host.sent == ["\(8 * count - 2) value0, value x, x 1"])
        }
        #expect(allocations[1] < 200, "\(allocations)")
    }

    @Test("a response is a table of status, joined headers and body")
    func response() throws {
        let stage = try stage(
            """
            local r, why = http.get("http://shop/")
            show(why, r.status, #r.body, r.body == "a\\0\\xFF", r.headers["x-a"], r.headers["x-b"], r.headers["x-c"])
            """)
        stage.message()
        let response = ScriptResponse(
            status: 404, headers: [("x-a", [0x31]), ("x-b", [0x32]), ("x-a", [0x33])], body: [97, 0, 255])
        #expect(try answer(stage, .response(response)).isDone)
        #expect(stage.host.sent == ["nil 404 3 true 1, 3 2 nil"])
    }

    @Test("a response without anything is one with an empty body")
    func empty() throws {
        let stage = try stage("local r = http.get('http://shop/') show(r.status, r.body == '', next(r.headers))")
        stage.message()
        #expect(try answer(stage, .response(ScriptResponse(status: 204, headers: [], body: []))).isDone)
        #expect(stage.host.sent == ["204 true nil"])
    }

    @Test("a request that fails returns nil, a word for the reason, and details")
    func failure() throws {
        let stage = try stage("show(http.get('http://shop/'))")
        stage.message()
        #expect(try answer(stage, .requestFailed("cannot connect", detail: "Connection refused")).isDone)
        #expect(stage.host.sent == ["nil cannot connect Connection refused"])
    }

    /// Requests of several handlers do not mix.
    @Test("requests may follow each other")
    func several() throws {
        let stage = try stage(
            "local a = http.get('http://' .. message) local b = http.get('http://second') show(message, a.body, b.body)"
        )
        for name in ["x", "y"] { stage.message(name) }
        func reply(_ index: Int, _ body: String) {
            let response = ScriptResponse(status: 200, headers: [], body: Array(body.utf8))
            _ = stage.engine.resume(stage.host.requests[index].ticket, with: .response(response))
        }
        reply(1, "for y")
        reply(0, "for x")
        reply(3, "second for x")
        reply(2, "second for y")
        #expect(stage.host.sent == ["x for x second for x", "y for y second for y"])
    }

    @Test(
        "a mistake raises and names the function and the expected value",
        arguments: [
            ("http.get()", "http.get: the URL must be a string, not no value"),
            ("http.get({})", "http.get: the URL must be a string, not table"),
            ("http.get('u', 1)", "http.get: options must be a table, not number"),
            ("http.get('u', {body = 'x'})", "http.get: there is no option 'body'"),
            ("http.get('u', {header = {}})", "http.get: there is no option 'header'; did you mean headers"),
            ("http.post('u', {jsom = {}})", "http.post: there is no option 'jsom'; did you mean json"),
            ("http.get('u', {headers = 'x'})", "http.get: headers must be a table, not string"),
            ("http.get('u', {headers = {'x'}})", "http.get: the names in headers must be strings, not number"),
            ("http.get('u', {headers = {x = {}}})", "http.get: 'x' in headers must be a string, a number or a boolean"),
            ("http.get('u', {query = {x = print}})", "http.get: 'x' in query must be a string"),
            ("http.get('u', {timeout = 0})", "http.get: timeout must be a number of seconds, more than 0"),
            ("http.get('u', {timeout = 0/0})", "http.get: timeout must be a number of seconds, more than 0"),
            ("http.get('u', {timeout = 'x'})", "http.get: timeout must be a number of seconds, more than 0"),
            ("http.get('u', {maxBytes = -1})", "http.get: maxBytes must be an integer from 0 to 16777216"),
            ("http.get('u', {redirects = 21})", "http.get: redirects must be an integer from 0 to 20"),
            ("http.post('u', {body = {}})", "http.post: body must be a string, not table"),
            ("http.post('u', {body = 'x', json = {}})", "http.post: give either body or json"),
            ("http.post('u', {json = print})", "JSON: a function cannot be encoded"),
            ("http.request('u')", "http.request: expected a table of options, not string"),
            ("http.request{}", "http.request: the option url is missing"),
            ("http.request{url = 'u', method = {}}", "http.request: method must be a string, not table"),
            ("http.put('u')", "put"),
        ])
    func mistakes(body: String, sentence: String) throws {
        let stage = try Stage()
        let error = try stage.failure(body)
        #expect(error.message.contains(sentence), "\(error.message)")
        #expect(stage.host.requests.isEmpty && stage.engine.waitingCount == 0)
    }

    /// The handler can wait afterwards.
    @Test("a mistake that the host finds raises")
    func hostsMistake() throws {
        let stage = try stage(
            "show(pcall(http.get, 'nonsense')) local r = http.get('http://shop/') show(r.status)")
        stage.host.requestMistake = "not an absolute URL"
        stage.host.mistakes = 1
        #expect(stage.message().isWaiting)
        #expect(stage.host.sent.first?.hasSuffix("http.get: not an absolute URL") == true)
        #expect(try answer(stage, .response(ScriptResponse(status: 200, headers: [], body: []))).isDone)
        #expect(stage.host.sent.last == "200")
    }

    @Test("no request is made while a script loads")
    func loading() throws {
        let stage = try Stage()
        let errors = try stage.prepare(["main": "http.get('http://shop/')"]).errors
        #expect(errors.first?.message.contains("http.get cannot be called while a script loads") == true)
        #expect(stage.host.requests.isEmpty)
    }

    @Test("a response for which there is no memory fails that handler alone")
    func memory() throws {
        var options = ScriptOptions()
        options.memoryLimit = 2 << 20
        let stage = try Stage(options: options)
        try stage.load(["main": Stage.script("show(http.get('http://shop/').status)")])
        stage.message()
        let large = ScriptResponse(status: 200, headers: [], body: Array(repeating: 1, count: 4 << 20))
        #expect(try answer(stage, .response(large)).error?.message.contains("not enough memory") == true)
        stage.message()
        #expect(try answer(stage, .response(ScriptResponse(status: 200, headers: [], body: []))).isDone)
        #expect(stage.host.sent == ["200"])
    }

    @Test("an answer to a request that is over already is dropped")
    func late() throws {
        let stage = try stage("show(http.get('http://shop/'))")
        guard case .waiting(let task) = stage.message() else { throw Unexpected() }
        _ = stage.engine.timeOut(task)
        #expect(stage.host.sent == ["nil timeout"])
        let late = ScriptResponse(status: 200, headers: [], body: [])
        #expect(stage.engine.resume(stage.host.requests[0].ticket, with: .response(late)) == nil)
    }
}

// `perigee test` as a process: its lines about tests that pass and tests that do not.

import PerigeeTestKit
import Testing

@Suite("Command line: test", .bounded)
struct TestCommandTests {
    /// Runs the tests of a folder with these files.
    private func run(
        _ files: [String: String], _ arguments: [String] = []
    ) throws -> (status: Int32, lines: [String]) {
        let folder = try TemporaryFolder()
        for (name, source) in files { try folder.write(source, to: name) }
        let result = try PerigeeProgram.run(["test", folder.path] + arguments)
        #expect(result.errors == "")
        return (result.status, result.output.split(separator: "\n").map(String.init))
    }

    private static let counter = """
        function onOpen(conn) conn:subscribe("news") conn:send { id = conn.id, n = kv.incr("n", 1, 60) } end
        function onMessage(conn, message)
          if message == "bye" then conn:close(4000, "bye") return end
          if message == "oops" then error("oops") end
          log.info("heard", { text = message })
          server.publish("news", message, { except = conn })
        end
        function onClose(conn, code, reason) server.publish("news", { gone = conn.id, code = code, reason = reason }) end
        """

    private func lines(of test: String, main: String = counter) throws -> [String] {
        try run(["main.lua": main, "tests/a.lua": "local app = t.load 'main'\n" + test]).lines
    }

    @Test("the shipped scripts pass their tests and exit with 0")
    func shipped() throws {
        let result = try PerigeeProgram.run(["test", "Scripts"])
        #expect(result.status == 0 && result.output.hasSuffix(" passed, 0 failed\n"), "\(result.output)")
        for example in ["auth", "chat", "desk", "limiter", "prices", "scores", "typing"] {
            #expect(result.output.contains("ok   tests/examples/\(example).lua: "))
        }
    }

    /// And the line of source; the exit code is 1.
    @Test("a failed test is reported with file, line and difference")
    func failing() throws {
        let (status, lines) = try run([
            "main.lua": Self.counter,
            "tests/a.lua": """
            local app = t.load "main"
            t.test("good", function() t.ok(app:connect().isOpen) end)
            t.test("bad", function()
                t.equal({ a = 1, list = { 1, "two" } }, { a = 2, list = { 1, "zwei" }, ["b c"] = true })
            end)
            """,
        ])
        #expect(status == 1)
        #expect(
            lines == [
                "ok   tests/a.lua: good",
                "FAIL tests/a.lua: bad (tests/a.lua:4)",
                "     tests/a.lua:4: .a: expected 2, got 1",
                "     [\"b c\"]: expected true, got nil",
                "     .list[2]: expected \"zwei\", got \"two\"",
                "     got { a = 1, list = { 1, \"two\" } }",
                "         4 |     t.equal({ a = 1, list = { 1, \"two\" } }, { a = 2, list = { 1, \"zwei\" }, [\"b c\"] = true })",
                "1 passed, 1 failed",
            ])
    }

    @Test("an error that a script raises fails the test, unless the test takes it")
    func scriptErrors() throws {
        let (status, lines) = try run([
            "main.lua": Self.counter,
            "tests/a.lua": """
            local app = t.load "main"
            t.test("left", function() app:connect():send "oops" end)
            t.test("taken", function()
                app:connect():send "oops"
                t.equal(app:takeError(), "main.lua:4: oops")
                t.equal(app:takeError(), nil)
            end)
            """,
        ])
        #expect(status == 1 && lines.first == "FAIL tests/a.lua: left (tests/a.lua:2)")
        #expect(lines.contains { $0.contains("a script raised an error: main.lua:4: oops") })
        #expect(lines.contains { $0.contains("4 |   if message == \"oops\" then error(\"oops\") end") })
        #expect(lines.suffix(2) == ["ok   tests/a.lua: taken", "1 passed, 1 failed"])
    }

    @Test(
        "the host does as the server does",
        arguments: [
            // Messages, publications, logs.
            "local a, b = app:connect(), app:connect() a:take() t.equal(b:take(), {id = b.id, n = 2}) "
                + "a:send {x = 1} t.equal(b:takeAll(), {{x = 1}}) t.equal(a:take(), nil) "
                + "t.equal(app:logs(), {{level = 'info', message = 'heard', fields = {text = '{\"x\":1}'}}})",
            // Closing, by either side: onClose once, subscriptions gone, nothing received any more.
            "local a, b = app:connect(), app:connect() b:takeAll() a:send 'bye' t.equal(a.isOpen, false) "
                + "t.equal(a.closed, {code = 4000, reason = 'bye'}) t.equal(#b:takeAll(), 1) t.equal(a.channels, {}) "
                + "b:close(1001, 'x') t.equal(b.closed.code, 1001) t.fails(function() b:send 'x' end, 'not connected')",
            // A push, kv and its lifetimes, the clock.
            "local a = app:connect() a:take() t.equal(app.kv.get 'n', 1) app.kv.set('n', 7) "
                + "t.equal(app:push('news', 'hi', {key = 'k'}), true) t.equal(a:take(), 'hi') "
                + "t.equal(app.kv.delete 'n', true) app:connect() app:advance(59) t.equal(app.kv.get 'n', 1) "
                + "app:advance(1) t.equal(app.kv.get 'n', nil)",
            // A reload keeps connections; a bad one changes nothing.
            "local a = app:connect() a:take() local v = app:reload { main = 'function onMessage(c) c:send(server.version) end' } "
                + "t.equal(v, 2) a:send 'x' t.equal(a:take(), '2') local none, why = app:reload { main = 'x' } "
                + "t.equal(none, nil) t.ok(why:find('main.lua:1:', 1, true)) a:send 'x' t.equal(a:take(), '2')",
            // Mistakes of the test itself.
            "t.fails(function() t.load 'nope' end, 'there is no script .nope.') "
                + "t.fails(function() app:connect { pth = '/' } end, \"no option 'pth'\") "
                + "t.fails(function() app:advance(-1) end, 'not negative') t.fails(function() t.oops() end, 'no field') "
                + "t.fails(function() t.fails(function() end) end, 'there was none')",
        ])
    func semantics(test: String) throws {
        #expect(try lines(of: test) == ["ok   tests/a.lua", "1 passed, 0 failed"])
    }

    /// Slow clients drain.
    @Test("onUpgrade refuses with a status or admits with data")
    func upgrade() throws {
        let main = """
            function onUpgrade(request)
              if request.cookies.session ~= "s1" then return false, 401, "log in" end
              return { subprotocol = request.subprotocols[2], who = request.headers["x-who"] }
            end
            function onOpen(conn) conn:identify(conn.data.who) end
            function onMessage(conn) local ok, why = conn:send("x") conn.data.why = why end
            function onDrain(conn) conn:send(conn.data.why) end
            """
        let test = """
            t.equal({ app:connect() }, { nil, 401, "log in" })
            local a = app:connect { cookies = { session = "s1" }, subprotocols = { "one", "two" }, headers = { ["X-Who"] = "ada" } }
            t.equal({ a.user, a.subprotocol, a.isOpen }, { "ada", "two", true })
            a:setSlow(true)
            a:send "x"
            t.equal(a:take(), nil)
            a:setSlow(false)
            t.equal(a:take(), "slow")
            """
        #expect(try lines(of: test, main: main) == ["ok   tests/a.lua", "1 passed, 0 failed"])
    }

    /// A cancelled one does not.
    @Test("timers fire at their time, in order, and repeat")
    func timers() throws {
        let main = """
            function onStart() server.every("tick", 2, function() server.broadcast("tick") end) end
            function onOpen(conn)
              server.after(3, function() conn:send("three") end)
              server.cancel(server.after(1, function() conn:send("never") end))
            end
            """
        let test = """
            local a = app:connect()
            app:advance(1.9) t.equal(a:takeAll(), {})
            app:advance(2.2) t.equal(a:takeAll(), { "tick", "three", "tick" })
            """
        #expect(try lines(of: test, main: main) == ["ok   tests/a.lua", "1 passed, 0 failed"])
    }

    /// In onUpgrade, too.
    @Test("a handler waits on the test's clock before its client's other events")
    func waiting() throws {
        let main = """
            function onUpgrade(request)
              if request.query.wait then server.sleep(1) end
              if request.query.no then return false, 403, "no" end
              return true
            end
            function onMessage(conn, message)
              if message == "wait" then conn:send(tostring((server.sleep(2)))) end
              if message == "long" then local done, why = server.sleep(100) conn:send(why) end
              conn:send(message)
            end
            function onOpen(conn) server.spawn(function() server.sleep(5) conn:send("late") end) end
            function onClose(conn) kv.incr("closed") end
            """
        let test = """
            local a, b = app:connect(), app:connect()
            a:send "wait" a:send "next" b:send "other"
            t.equal(b:takeAll(), { "other" })
            app:advance(1.9) t.equal(a:takeAll(), {})
            app:advance(0.1) t.equal(a:takeAll(), { "true", "wait", "next" })
            app:advance(3) t.equal(a:takeAll(), { "late" })
            a:send "long" app:advance(29.9) t.equal(a:take(), nil) app:advance(0.1) t.equal(a:takeAll(), { "timeout", "long" })
            a:send "wait" a:send "next" a:close() t.equal(app.kv.get "closed", 1)
            local c = app:connect { query = { wait = 1 } }
            t.equal({ c.isOpen, c.refused }, { false })
            app:advance(1) t.ok(c.isOpen)
            local d = app:connect { query = { wait = 1, no = 1 } }
            app:advance(1) t.equal(d.refused, { status = 403, body = "no" })
            """
        #expect(try lines(of: test, main: main) == ["ok   tests/a.lua", "1 passed, 0 failed"])
    }

    @Test("a script that loops for ever is killed, which fails its test alone")
    func loops() throws {
        let main = "function onMessage(conn) while true do end end"
        let test = """
            t.test("loops", function() app:connect():send "x" end)
            t.test("is fine", function() t.ok(app:connect().isOpen) end)
            """
        let lines = try lines(of: test, main: main)
        #expect(lines.first == "FAIL tests/a.lua: loops (tests/a.lua:2)")
        #expect(lines.contains { $0.contains("main.lua:1: ") && $0.contains("CPU") })
        #expect(lines.suffix(2) == ["ok   tests/a.lua: is fine", "1 passed, 1 failed"])
    }

    /// Before or after, late or never. It sees the metrics.
    @Test("the test answers the requests of scripts")
    func requests() throws {
        let main = """
            function onMessage(conn, message)
              local response, why = http.post("http://x/" .. message, { json = { a = 1 }, query = { q = "1" } })
              metrics.count("asked", 1, { what = message })
              metrics.observe("took", 2)
              conn:send(response and { response.status, response.headers["x-a"], response.body } or why)
            end
            """
        let test = """
            local a = app:connect()
            app:httpReply { url = "http://x/two", status = 202, headers = { ["X-A"] = "b" }, body = "two" }
            a:send "one" a:send "two"
            t.equal(a:take(), nil)
            local requests = app:httpRequests()
            t.equal(#requests, 1)
            t.equal({ requests[1].method, requests[1].url, requests[1].query, requests[1].body },
              { "POST", "http://x/one", { q = "1" }, '{"a":1}' })
            app:httpReply { method = "POST", body = { b = 2 }, delay = 1 }
            app:advance(0.9) t.equal(a:take(), nil)
            app:advance(0.1) t.equal(a:takeAll(), { { 200, json.null, '{"b":2}' }, { 202, "b", "two" } })
            t.equal(app.metrics, { ['asked{what="one"}'] = 1, ['asked{what="two"}'] = 1, took = { sum = 4, count = 2 } })
            app:httpReply { error = "tls" }
            a:send "three" t.equal(a:take(), "tls")
            a:send "four" app:advance(30) t.equal(a:take(), "timeout")
            """
        #expect(try lines(of: test, main: main) == ["ok   tests/a.lua", "1 passed, 0 failed"])
    }

    /// onPublish, onRequest and onSubscribe, also where these wait.
    @Test("pushes, calls and subscriptions reach their handlers")
    func questions() throws {
        let main = """
            function onPublish(publication)
              if publication.data == "no" then return false, "not that" end
              if publication.data == "wait" then server.sleep(1) end
              publication.data = publication.data .. "!"
              return publication
            end
            function onRequest(request)
              if request.query.wait then server.sleep(1) end
              return 201, { body = request.body, method = request.method }, { ["x-a"] = request.headers["x-a"] }
            end
            function onSubscribe(conn, channel) return channel ~= "secret", "no" end
            function onOpen(conn) conn:subscribe("news") end
            """
        let test = """
            local a = app:connect()
            t.equal({ app:push("news", "yes") }, { true })
            t.equal({ app:push("news", "no") }, { false, "not that" })
            t.equal({ app:push("news", "wait") }, { nil, "waiting" })
            t.equal(a:takeAll(), { "yes!" })
            app:advance(1)
            t.equal(a:takeAll(), { "wait!" })
            local answer = { app:call("main", { method = "PUT", body = "b", headers = { ["X-A"] = "c" } }) }
            t.equal(answer, { 201, { body = "b", method = "PUT" }, { ["x-a"] = "c" } })
            t.equal({ app:call("main", { query = { wait = 1 }, headers = { ["x-a"] = 1 } }) }, { nil, "waiting" })
            app:takeAnswer() app:advance(1)
            t.equal(app:takeAnswer(), 201)
            t.equal({ app:subscribe(a, "secret") }, { false, "no" })
            t.ok(app:subscribe(a, "open"))
            t.equal(a.channels, { "news", "open" })
            """
        #expect(try lines(of: test, main: main) == ["ok   tests/a.lua", "1 passed, 0 failed"])
    }

    @Test("the time that scripts and tests see is the virtual one")
    func time() throws {
        let main = "function onMessage(conn) conn:send(time.iso()) end"
        let test = """
            local a = app:connect()
            a:send "x" t.equal(a:take(), "2026-01-01T00:00:00.000Z")
            app:advance(90) a:send "x" t.equal(a:take(), "2026-01-01T00:01:30.000Z")
            t.equal(time.iso(), "2026-01-01T00:01:30.000Z")
            """
        #expect(try lines(of: test, main: main) == ["ok   tests/a.lua", "1 passed, 0 failed"])
    }

    @Test("--filter runs the tests whose line has the words in it")
    func filter() throws {
        let files = [
            "main.lua": "", "tests/a.lua": "t.test('red', function() end) t.test('blue', function() end)",
            "tests/b/c.lua": "t.test('red', function() end)",
        ]
        #expect(
            try run(files, ["--filter", "red"]).lines == [
                "ok   tests/a.lua: red", "ok   tests/b/c.lua: red", "2 passed, 0 failed",
            ])
        #expect(try run(files, ["--filter", "b/c.lua"]).lines == ["ok   tests/b/c.lua: red", "1 passed, 0 failed"])
    }

    /// Its errors have line and source when it does not load.
    @Test("a test file is a script in the same sandbox")
    func sandbox() throws {
        let (status, lines) = try run([
            "main.lua": "", "tests/a.lua": "local x = nope", "tests/b.lua": "x = = 1", "tests/c.lua": "io.open('x')",
        ])
        #expect(status == 1 && lines.last == "0 passed, 3 failed")
        #expect(lines.contains("FAIL tests/a.lua (tests/a.lua:1)"))
        #expect(lines.contains { $0.contains("tests/a.lua:1: undefined global 'nope'") })
        #expect(lines.contains { $0.contains("1 | x = = 1") })
    }

    @Test("perigee check reads test files and does not run them")
    func check() throws {
        let folder = try TemporaryFolder()
        try folder.write("", to: "main.lua")
        try folder.write("error('never run')\nt.test('a', function() t.equl(1, 1) end)", to: "tests/a.lua")
        try folder.write("x = = 1", to: "tests/b.lua")
        let result = try PerigeeProgram.run(["check", folder.path])
        #expect(result.status == 1)
        #expect(result.output.hasPrefix("tests/a.lua:2: t has no field 'equl'; did you mean 'equal'?\n    2 | "))
        #expect(result.output.contains("\ntests/b.lua:1: unexpected symbol near '='\n"))
        #expect(!result.output.contains("never run:"))
    }

    /// A folder without tests passes.
    @Test("scripts that do not load fail the run")
    func scripts() throws {
        let broken = try run(["main.lua": "x = = 1", "tests/a.lua": "t.load 'main'"])
        #expect(broken.status == 1 && broken.lines.contains { $0.contains("main.lua:1: ") })
        let none = try run(["main.lua": ""])
        #expect(none.status == 0 && none.lines == ["0 passed, 0 failed"])
    }
}

import Glibc
import Testing
import TimeBound

@testable import Scripting

/// Calls of one function of C that take long because their arguments are long.
///
/// Some are missing, because no code of ours runs in them; the largest block of 16 MB bounds them to 20 to 130 ms: a
/// number that is read from a string, two strings with zeros that are compared, a string that becomes a table's key,
/// the padding of `string.pack`, and calls with as many arguments as Lua's stack holds.
@Suite("loops in C", .timeLimit(.minutes(TimeBound.isSanitized ? 30 : 5)), .bounded)
struct LoopTests {
    static let loops = [
        "x:gsub('', '')", "x:gsub('', captures)", "x:gsub('x', {x = 'y'})",
        "x:find('[abcdefghijklmnopqrstuvw0123x]+$')", "x:find('[abcdefghijklmnopqrstuvw0123]+')", "x:find('%d')",
        "x:find('%a-%d')", "x:find(set)", "open:find('%b()')",
        "for _ in x:gmatch('y-z') do end", "x:match('.-y')", "x:find(long)",
        "x:reverse()", "x:upper()", "x:lower()", "utf8.len(x)", "utf8.len(wide)", "utf8.len(x, 1, -1, true)",
        "utf8.offset(x, N - 1)", "utf8.offset(x, -N)", "utf8.char(x:byte(1, 100000))", "('%q'):format(x)",
        "('%q'):format(zeros)", "percents:format()",
        "digits:format(x:byte(1, 100000))", "table.unpack({}, 1, 900000)",
        "table.unpack(setmetatable({}, {__index = rawlen}), 1, 900000)", "table.concat(numbers)", "table.sort(numbers)",
        "table.sort(same)", "table.move(numbers, 1, #numbers, 2)", "table.insert(numbers, 1, 1)",
        "table.remove(numbers, 1)",
        "crypto.base64(twelve)", "crypto.fromBase64(x)", "crypto.base64url(twelve)",
        "crypto.fromBase64url(x)", "crypto.hex(eight)", "crypto.fromHex(hex)", "crypto.sha256(x)",
        "crypto.sha512(x)", "crypto.hmac('sha256', 'k', x)", "crypto.hmac('sha256', x, 'k')", "crypto.equal(x, again)",
        "json.decode(escapes)", "json.decode(units)", "json.decode(quoted)", "json.decode(newlines)",
        "again:find(rare, 1, true)", "again:find(shortRare, 1, true)", "again:find(periodic, 1, true)",
        "json.encode(numbers)", "json.encode(x)", "json.encode(wide)", "json.decode(list)", "json.decode(spaces)",
        "jwt.sign({a = eight}, 'k', {alg = 'HS256'})", "conn:send(wide)", "server.publish('a', wide)",
        "print(x:byte(1, 100000))", "log.info('x', names)",
        "metrics.count('a', 1, empty)", "http.get('http://a', {query = names})",
    ]

    @Test("a long call is killed within, not when it is over", arguments: loops)
    func killed(_ call: String) throws {
        var options = ScriptOptions(memoryLimit: 512 << 20)
        options.budget = 0.002
        options.loadBudget = 60
        let stage = try Stage(options: options)
        try stage.load([
            "main": """
            local N = 16000000
            local x, wide = ("x"):rep(N), ("ä"):rep(N // 2)
            local captures, set, open, long = ("%0"):rep(4000000), "[" .. ("a"):rep(4000000) .. "]", ("("):rep(N), ("a"):rep(8000000) .. "%d"
            local zeros, percents, digits = ("\\0"):rep(4000000), ("%%"):rep(N // 2), ("%d"):rep(100000)
            local twelve, eight, hex, again = x:sub(1, 12000000), x:sub(1, 8000000), ("a"):rep(N), x .. ""
            local list, spaces = "[" .. ("1,"):rep(2000000) .. "1]", (" "):rep(N) .. "1"
            local escapes, units = '"' .. ("\\\\n"):rep(7000000) .. '"', '"' .. ("\\\\u00e4"):rep(2000000) .. '"'
            local quoted, newlines = '"' .. wide:sub(1, 15000000) .. '"', "[" .. ("\\n"):rep(15000000) .. "}"
            local rare, shortRare = ("x"):rep(4000000) .. "y" .. ("x"):rep(3999999), ("x"):rep(2000) .. "y" .. ("x"):rep(1999)
            local periodic = ("x"):rep(3999999) .. "y" .. ("x"):rep(3999999) .. "yx"
            local numbers, same, names, empty = {}, {}, {}, {}
            for i = 1, 500000 do numbers[i] = (i * 7919) % 1000003 end
            for i = 1, 1000 do same[i] = x end
            for i = 1, 200000 do names["a" .. i] = 1 empty["a" .. i] = "" end
            function onMessage(conn) while true do local result = \(call) end end
            """.replacing("local result = for", with: "for")
        ])
        var places: [String] = []
        for _ in 0..<5 where places.last?.hasPrefix("[C]") != true {  // the kill may come between two calls
            let start = Self.processorSeconds()
            let error = try #require(stage.message().error)
            #expect(Self.processorSeconds() - start < 2, "\(call)")
            #expect(error.kill == .budget, "\(call): \(error.message)")
            places.append(error.traceback ?? "")
        }
        #expect(places.last?.hasPrefix("[C]") == true, "\(call): \(places)")
    }

    @Test(
        "a text that the server would read for long is refused",
        arguments: [
            ("http.get('http://a/' .. x)", "http.get: the URL has more than 65536 bytes"),
            ("http.request{url = 'http://a/', method = x}", "http.request: method has more than 1024 bytes"),
            ("http.get('http://a/', {query = {a = x}})", "http.get: query and headers have more than 1048576 bytes"),
            ("http.get('http://a/', {headers = {a = x}})", "http.get: query and headers have more than 1048576 bytes"),
            ("server.cron('a', x, print)", "server.cron: the expression has more than 1024 bytes"),
            ("log.info('a', {b = x})", "log: the fields have more than 1048576 bytes"),
            ("require(x)", "require: the module's name has more than 1024 bytes"),
            ("conn:identify(x)", "conn:identify: the user has more than 1024 bytes"),
            ("server.send(x, 'a')", "server.send: the connection's id has more than 1024 bytes"),
            ("server.sendUser(x, 'a')", "server.sendUser: the user has more than 1024 bytes"),
            ("server.disconnect(x)", "server.disconnect: the connection's id or the user has more than 1024 bytes"),
            ("server.cancel(x)", "server.cancel: the timer's name has more than 1024 bytes"),
            ("server.every(x, 1, print)", "server.every: the name must have from 1 to 1024 bytes"),
            ("kv.get(x)", "kv.get: the key has more than 1024 bytes"),
            (
                "http.get('http://a/', {headers = {a = '\\xff' .. x}})",
                "http.get: query and headers have more than 1048576 bytes"
            ),
            ("string.pack(x)", "bad argument #1 to 'pack' (format longer than 65536 bytes)"),
            ("string.unpack(x, x)", "bad argument #1 to 'unpack' (format longer than 65536 bytes)"),
        ])
    func refused(call: String, message: String) throws {
        let error = try Stage().failure("local x = ('x'):rep(2000000) \(call)")
        #expect(error.message.hasSuffix(message), "\(error.message)")
    }

    @Test("a long text that repeats itself is found at its place")
    func found() throws {
        let shown = try Stage().run(
            """
            local function first(s, what)
              for i = 1, #s - #what + 1 do if s:sub(i, i + #what - 1) == what then return i end end
            end
            local seed, hits = 1, 0
            local function random(n) seed = seed * 16807 % 2147483647 return seed % n end
            local unit = {"a", "ab", "aab", "abaab", "abab"}
            for round = 1, 12 do
              local what = unit[random(5) + 1]:rep(4200 // 2)
              what = what:sub(1 + random(5), 4100 + random(50)) .. ({"", "b", "c", "a"})[random(4) + 1]
              local near = what:sub(1, #what - 1)
              local s = near:rep(3) .. unit[random(5) + 1]:rep(random(40)) .. (random(2) == 0 and what or near) .. near
              local expected, found = first(s, what), s:find(what, 1, true)
              assert(expected == found, round)
              hits = hits + (found and 1 or 0)
            end
            show(hits > 2 and hits < 12)
            """)
        #expect(shown == ["true"])
    }

    @Test("a long message is logged with its beginning")
    func longMessage() throws {
        let stage = try Stage("function onMessage() log.info('x' .. ('ä'):rep(1000000)) end")
        #expect(stage.message().isDone)
        let logged = stage.host.calls.compactMap { call -> Int? in
            if case .log(_, let message, _, _, _) = call { message.utf8.count } else { nil }
        }
        #expect(logged == [65535])
    }

    static func processorSeconds() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }
}

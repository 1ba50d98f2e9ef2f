// The attacks, by their required outcome.

/// A script whose onMessage does harm.
struct Attack: CustomStringConvertible, Sendable {
    /// The code that runs when the script loads.
    var top = ""
    let body: String
    /// A part of the error's text.
    var message: String?

    var script: String {
        "\(top)\nfunction onMessage(conn, message) local function show(s) conn:send(s) end\n\(body)\nend"
    }

    var description: String { body }

    init(_ body: String, top: String = "", _ message: String? = nil) {
        self.top = top
        self.body = body
        self.message = message
    }
}

enum Attacks {
    private static let loop = "local function loop() while true do end end"
    private static let hard = #"("a"):rep(5000), (".-"):rep(6) .. "b""#

    static let endless = loops + protected + inC + coroutines

    private static let loops = [
        Attack("while true do end"), Attack("::again:: goto again"), Attack("for i = 1, math.huge do local x = i end"),
        Attack("repeat local x = {} until false"), Attack("local function f() return f() end f()"),
        Attack("local s = '' while true do s = (s .. 'x'):sub(1, 100) end"),
        Attack("return (setmetatable({}, {__index = function() while true do end end})).x"),
        Attack("return #setmetatable({}, {__len = function() while true do end end})"),
        Attack("return setmetatable({}, {__eq = function() while true do end end}) == setmetatable({}, {})"),
        Attack("for _ in pairs(setmetatable({}, {__pairs = function() while true do end end})) do end"),
        Attack("for _ in function() return 1 end do end"),
        Attack("tostring(setmetatable({}, {__tostring = function() while true do end end}))"),
        Attack("('%s'):format(setmetatable({}, {__tostring = function() while true do end end}))"),
        Attack("log.info('x', {y = 1}) while true do conn:send('x') end"),
        Attack("while true do json.decode(json.encode({1, 2, 3})) end"),
        Attack("while true do local ok = kv.get('x') end"),
    ]

    private static let protected = [
        Attack("while true do pcall(function() while true do end end) show('caught') end"),
        Attack("while true do pcall(pcall, function() while true do end end) show('caught') end"),
        Attack("\(loop) while true do xpcall(loop, loop) show('caught') end"),
        Attack("\(loop) while true do xpcall(error, loop) show('caught') end"),
        Attack("\(loop) local function deep(n) if n == 0 then loop() end pcall(deep, n - 1) loop() end deep(50)"),
        Attack("\(loop) local function again(e) show('caught') loop() end while true do xpcall(loop, again) end"),
        Attack(
            "local function close() show('caught') while true do end end "
                + "do local x <close> = setmetatable({}, {__close = function() while true do end end}) end"),
        Attack(
            "while true do local ok = pcall(function() local x <close> = "
                + "setmetatable({}, {__close = function() while true do end end}) error('x') end) show('caught') end"),
        Attack("pcall(error, setmetatable({}, {__tostring = function() while true do end end})) while true do end"),
    ]

    private static let inC = [
        Attack("string.find(\(hard))"), Attack("string.match(\(hard))"), Attack("string.gsub(\(hard), '')"),
        Attack("for _ in string.gmatch(\(hard)) do end"),
        Attack("while true do pcall(string.find, \(hard)) show('caught') end"),
        Attack("('('):rep(4e6):find('%b()')"), Attack("('a'):rep(8e6):find('(.*)%1b')"),
        Attack("('a'):rep(4e6):find('a-[' .. ('b'):rep(1e6) .. ']c')"),
        Attack("('a'):rep(8e6):find('%f[' .. ('b'):rep(1e5) .. ']c')"),
        Attack("('a'):gsub('a', function() while true do end end)"),
        Attack("while true do ('a'):rep(100):gsub('a', function() end) end"),
        Attack("table.sort(big)", top: Attacks.bigTable),
        Attack("table.sort({3, 1, 2}, function() while true do end end)"),
        Attack("while true do table.sort(big) end", top: Attacks.bigTable),
        Attack("while true do table.concat(big, ',') end", top: Attacks.bigTable),
        Attack("while true do pcall(table.move, big, 1, #big, 2, {}) end", top: Attacks.bigTable),
        Attack("table.insert(liar, 1, 1)", top: Attacks.liar(25)),
        Attack("table.remove(liar, 1)", top: Attacks.liar(25)),
        Attack("table.move({}, 1, 1 << 25, 2)"),
        Attack("while true do pcall(table.move, {}, 1, 1 << 25, 2) show('caught') end"),
        Attack("table.move(setmetatable({}, {__index = rawlen, __newindex = rawget}), 1, 1 << 26, 1)"),
        Attack(
            "table.concat(setmetatable({}, {__index = function() return '' end, __len = function() return 1 << 40 end}))"
        ),
        Attack(
            "table.sort(setmetatable({}, {__index = function() return 1 end, __newindex = function() end, __len = function() return 1 << 30 end}))"
        ),
        Attack("while true do json.encode(big) end", top: Attacks.bigTable),
        Attack("while true do utf8.len(('x'):rep(1e6)) end"),
        Attack("while true do ('x'):rep(1e6):upper():reverse() end"),
        Attack("while true do pcall(string.rep, 'x', 1e15) pcall(string.rep, 'x', 1.6e7) end"),
        Attack("while true do pcall(string.pack, 'c2000000000', '') end"),
    ]

    private static let coroutines = [
        Attack("coroutine.resume(early)", top: "local early = coroutine.create(function() while true do end end)"),
        Attack("early()", top: "local early = coroutine.wrap(function() while true do end end)"),
        Attack(
            "while true do pcall(early) show('caught') end",
            top: "local early = coroutine.wrap(function() coroutine.yield() while true do end end) early()"),
        Attack("while true do coroutine.wrap(function() while true do end end)() end"),
        Attack("while true do coroutine.resume(coroutine.create(function() while true do end end)) show('caught') end"),
        Attack(
            "local function nest(n) if n == 0 then while true do end end coroutine.wrap(nest)(n - 1) end "
                + "while true do pcall(nest, 20) show('caught') end"),
        Attack(
            "local co = coroutine.create(function() local x <close> = setmetatable({}, {__close = function() "
                + "while true do end end}) coroutine.yield() end) coroutine.resume(co) "
                + "while true do coroutine.close(co) show('caught') end"),
        Attack("while true do coroutine.wrap(function() coroutine.yield(1) end)() end"),
        Attack(
            "local ping = coroutine.wrap(function() while true do coroutine.yield() end end) while true do ping() end"),
        Attack("coroutine.wrap(function() ('a'):gsub('a', function() while true do end end) end)()"),
        Attack("coroutine.wrap(function() string.find(\(hard)) end)()"),
        Attack(
            "local co = coroutine.create(function() while true do end end) "
                + "while true do xpcall(coroutine.resume, coroutine.resume, co) end"),
        Attack(
            "while true do local co = coroutine.create(function() end) coroutine.resume(co) coroutine.close(co) end"),
    ]

    static let refused = lies + escapes + data

    private static let lies = [
        Attack("assert(string.rep('', 1 << 40) == '')"), Attack("assert(('').rep('', 1 << 40, '') == '')"),
        Attack("string.rep('x', 1 << 40)", "resulting string too large"),
        Attack("string.rep('x', 17 << 20)", "string.rep: the result would be longer than 16777216 bytes"),
        Attack("table.move({}, 1, 1 << 40, 2)", "too many elements to move"),
        Attack("table.move({}, 1, math.maxinteger, 1)", "too many elements to move"),
        Attack("table.insert(liar, 1, 1)", top: liar(40), "too many elements to move"),
        Attack("table.remove(liar, 1)", top: liar(40), "too many elements to move"),
        Attack("table.concat(liar)", top: liar(40), "invalid value (nil) at index 1"),
        Attack("table.sort(liar)", top: liar(40), "array too big"),
        Attack("table.sort(liar)", top: liar(30), "attempt to compare two nil values"),
        Attack("table.unpack(liar)", top: liar(40), "too many results to unpack"),
        Attack("table.unpack({}, 1, 1 << 40)", "too many results to unpack"),
        Attack("table.unpack({}, math.mininteger, math.maxinteger)", "too many results to unpack"),
        Attack("table.pack(table.unpack({}, 1, 1e7))", "too many results to unpack"),
        Attack("assert(not ('a'):rep(2e5):find(('a'):rep(1e5) .. 'b', 1, true))"),
    ]

    private static let escapes = [
        Attack("setmetatable({}, {__gc = function() while true do end end})", "__gc is not available"),
        Attack("setmetatable({}, {__gc = true})", "__gc is not available"),
        Attack("setmetatable({}, {__mode = 'k'})", "weak keys are not available"),
        Attack("setmetatable({}, {__mode = 'vk'})", "weak keys are not available"),
        Attack("collectgarbage('stop')", "only \"count\" is available"),
        Attack("collectgarbage()", "only \"count\" is available"),
        Attack("collectgarbage('generational')", "only \"count\" is available"),
        Attack("assert(collectgarbage('count') > 0)"),
        Attack("getmetatable('').__index = {}", "attempt to index a boolean value"),
        Attack("local s = string s.upper = print", "string is read-only"),
        Attack("rawset(string, 'upper', print)", "read-only"),
        Attack("('').upper = print", "attempt to index a string value"),
        Attack("local t = table t.insert = nil", "table is read-only"),
        Attack("setmetatable('', {})", "table expected"), Attack("setmetatable(string, {})", "protected metatable"),
        Attack("string.dump(print)", "attempt to call a nil value"),
        Attack("('').dump(print)", "attempt to call a nil value"),
        Attack("load('x = 1')()", "undefined global 'load'"), Attack("debug.sethook()", "undefined global 'debug'"),
        Attack("os.exit()", "undefined global 'os'"), Attack("io.open('x')", "undefined global 'io'"),
        Attack("for k in pairs(string) do assert(k ~= 'dump') end"),
        Attack(
            "error(setmetatable({}, {__tostring = function() while true do end end}))", "the error is a table value"),
        Attack("error(setmetatable({}, {__index = function() while true do end end}))", "the error is a table value"),
        Attack("error(setmetatable({}, {__name = ('x'):rep(1e6)}))", "the error is a table value"),
        Attack("coroutine.yield()", "coroutine.yield: a handler cannot yield by itself"),
        Attack("table.sort({1, 2}, coroutine.yield)", "attempt to yield across a C-call boundary"),
    ]

    static let recursion = [
        Attack("local function f() return 1 + f() end f()", "stack overflow"),
        Attack("local function f() f() end f()", "stack overflow"),
        Attack("local function f() ('a'):gsub('a', f) end f()", "C stack overflow"),
        Attack("local function f() table.sort({1, 2}, f) end f()", "C stack overflow"),
        Attack("local function f() coroutine.wrap(f)() end f()", "C stack overflow"),
        Attack("local function f() return pcall(f) end f() error('came back')", "came back"),
        Attack(
            "local t = setmetatable({}, {}) getmetatable(t).__index = function(t, k) return t[k] end return t.x",
            "stack overflow"),
        Attack("local a, b = {}, {} setmetatable(a, {__index = b}) setmetatable(b, {__index = a}) return a.x", "loop"),
        Attack("local t = setmetatable({}, {}) getmetatable(t).__newindex = t t.x = 1", "loop"),
        Attack("return ('x'):rep(300):match(('x?'):rep(300))", "pattern too complex"),
        Attack("return ('x'):match(('('):rep(40))", "too many captures"),
    ]

    private static let data = [
        Attack("local t = {} for i = 1, 70 do t = {t} end json.encode(t)", "nested more than 64 deep"),
        Attack("local t = {} t.t = t json.encode(t)", "or contain themselves"),
        Attack("assert(json.decode(('['):rep(100000)) == nil)"),
        Attack("assert(json.decode(('[{\"a\":'):rep(1000)) == nil)"),
        Attack("json.encode({[1e9] = 1})", "too sparse"),
    ]

    static let bombs = [
        Attack(#"json.decode('[' .. ('{"a":[]},'):rep(5e5) .. '[]]')"#),
        Attack("local s = 'x' while true do s = s .. s end"),
        Attack("local t = {} while true do t[#t + 1] = {} end"),
        Attack("local t = {} while true do t[#t + 1] = #t .. ('x'):rep(1000) end"),
        Attack("local t = {} for i = 1, 1e9 do t[i + 0.5] = i end"),
        Attack("local t = {} while true do t = {t, t} end"),
        Attack("string.pack('c2000000000', '')"), Attack("string.pack('!16 c200000000 i16', '', 1)"),
        Attack("local s = ('x'):rep(1e6) local t = {} while true do t[#t + 1] = s .. #t end"),
        Attack("local t = {} while true do t[#t + 1] = function() return t end end"),
        Attack("local t = {} for i = 1, 1e6 do t[i] = ('x'):rep(100) end return table.concat(t)"),
        Attack("('x'):rep(1e6):gsub('x', ('y'):rep(100))"), Attack("('x'):rep(1e6):gsub('', ('y'):rep(100))"),
        Attack(
            "('%q'):rep(50):format(table.unpack((function() local t = {} for i = 1, 50 do t[i] = ('\\n'):rep(1e6) end return t end)()))"
        ),
        Attack("local t = {} while true do t[#t + 1] = coroutine.create(print) end"),
        Attack(
            "local t = {} while true do t[#t + 1] = coroutine.wrap(function() coroutine.yield() end) t[#t]() end"),
        Attack("local t = {} conn.data.t = t while true do t[#t + 1] = ('x'):rep(1000) .. #t end"),
        Attack("local t = {} while true do t[{}] = {} end"),
        Attack("local function f(...) return 1 + f(1, ...) end f()", "stack overflow"),
    ]

    private static let bigTable =
        "local big = {} for i = 1, 1000000 do big[i] = (i * 7919) % 1000003 end"

    private static func liar(_ bits: Int) -> String {
        "local liar = setmetatable({}, {__len = function() return 1 << \(bits) end})"
    }
}

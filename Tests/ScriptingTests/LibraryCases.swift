// Ordinary uses and ordinary mistakes of the functions that the sandbox replaces, as Lua expressions. Each row is run
// by stock Lua and in the sandbox.

/// Rows of Lua code, by function. Each returns what it does to `t`, `co` or nothing else that the rows share.
enum LibraryCases {
    static let all = strings + long + patterns + tables + sorting + calls + coroutines

    static let strings = [
        #"("ab"):rep(3)"#, #"("ab"):rep(3, ", ")"#, #"("ab"):rep(1, ", ")"#, #"("ab"):rep(0)"#, #"("ab"):rep(-5)"#,
        #"(""):rep(100)"#, #"(""):rep(3, "x")"#, #"("x"):rep(3, "")"#, #"("\0a"):rep(2, "\0")"#, #"("x"):rep("3")"#,
        #"("x"):rep(2.0)"#, #"("x"):rep(2.5)"#, #"("x"):rep()"#, #"string.rep()"#, #"string.rep({}, 1)"#,
        #"string.rep(5, 3)"#, #"#("x"):rep(100000)"#, #"("x"):rep(1 << 62)"#, #"("abc"):rep(1 << 40)"#,
        #"("x"):rep("y")"#, #"("ab"):rep(5, 1)"#, #"#string.rep("xyz", 3333, "--")"#,
        #"("x").rep == string.rep"#, #"("abc"):upper():lower():len()"#,
        #"("%d %5.2f %q %s"):format(5, 1.5, "a\nb", true)"#, #"("%d"):format("x")"#, #"("%d"):format(1.5)"#,
        #"("%y"):format(1)"#, #"("%s"):format()"#, #"string.pack("<i4z", 5, "ab"):byte(1, -1)"#,
        #"string.unpack("<i4", "\5\0\0\0")"#, #"string.pack("i17", 1)"#, #"("abc"):byte(1, -1)"#,
        #"string.char(72, 105)"#, #"string.char(256)"#, #"("héllo"):reverse():len()"#, #"("abc"):sub(-2)"#,
        #""10" + 5"#, #""a" + 1"#, #"("x")()"#, #"("x").y.z"#, #"utf8.char(228, 8364)"#, #"utf8.len("äöü")"#,
        #"utf8.len("\xff")"#, #"utf8.codepoint("ä", 1)"#, #"utf8.offset("äö", 2)"#,
    ]

    /// Texts that the sandbox takes piece by piece.
    static let long = [
        #"utf8.len(("äx€"):rep(50000))"#, #"utf8.len(("ä"):rep(40000) .. "\x80" .. "x")"#,
        #"utf8.len(("x"):rep(65535) .. "ä" .. ("y"):rep(70000))"#, #"utf8.len(("ä"):rep(50000), 2)"#,
        #"utf8.len(("ä"):rep(50000), 3)"#, #"utf8.len(("ä"):rep(50000), -1002, -3)"#, #"utf8.len(("x"):rep(70000), 0)"#,
        #"utf8.len(("x"):rep(70000), 1, 70001)"#, #"utf8.len(("x"):rep(70000), 70001)"#,
        #"utf8.len(("x"):rep(70000), 9, 8)"#,
        #"utf8.len(("x"):rep(65536) .. ("\x80"):rep(20) .. ("z"):rep(100))"#,
        #"utf8.len(("x"):rep(65530) .. ("\x80"):rep(5) .. ("z"):rep(100))"#,
        #"utf8.len(("\u{7FFFFFFF}"):rep(20000), 1, -1, true)"#, #"utf8.len(("\u{7FFFFFFF}"):rep(20000))"#,
        #"utf8.len(("x"):rep(65533) .. "\u{7FFFFFFF}" .. ("z"):rep(100), 1, -1, true)"#,
        #"utf8.offset(("ä"):rep(200000), 150000)"#, #"utf8.offset(("ä"):rep(200000), -150000)"#,
        #"utf8.offset(("ä"):rep(200000), 200001)"#, #"utf8.offset(("ä"):rep(200000), 200002)"#,
        #"utf8.offset(("ä"):rep(200000), -200001)"#, #"utf8.offset(("ä"):rep(200000), 70000, 2)"#,
        #"utf8.offset(("ä"):rep(200000), 70000, -100001)"#, #"utf8.offset(("ä"):rep(200000), 70000, 400002)"#,
        #"utf8.offset(("ä"):rep(200000), 0, 300002)"#, #"utf8.offset(("x"):rep(200000), -65537, 100000)"#,
        #"utf8.char(("héllo"):rep(500):byte(1, -1))"#, #"utf8.char(table.unpack({1, 2, 3}, 1, 300))"#,
        #"("aBcÄé\xff\0z"):rep(20000):upper() == ("ABCÄé\xff\0Z"):rep(20000)"#,
        #"("aBcÄé\xff\0z"):rep(20000):lower() == ("abcÄé\xff\0z"):rep(20000)"#,
        #"("aBcÄé\xff\0z"):rep(20000):reverse() == ("z\0\xff\xa9\xc3\x84\xc3cBa"):rep(20000)"#, #"string.upper()"#,
        #"string.lower({})"#, #"string.reverse(5)"#,
        #"("%d,"):rep(200):format(("x"):rep(200):byte(1, -1))"#,
        #"("%d,"):rep(2000):format(("x"):rep(2000):byte(1, -1))"#,
        #"(("%5.1f|%%|%-5d|%s|%q"):rep(300) .. ("x"):rep(3000)):format(1)"#,
        #"(("x"):rep(5000) .. "%5.1f|%%|%-5d|%s|%q|%x%c"):format(1.25, 7, nil, "a\nb", 255, 65)"#,
        #"("x"):rep(5000):format()"#, #"(("x"):rep(5000) .. "%d"):format()"#, #"(("x"):rep(5000) .. "%d"):format("y")"#,
        #"(("x"):rep(5000) .. "%g"):format({})"#, #"(("x"):rep(5000) .. "%q"):format({})"#,
        #"(("x"):rep(5000) .. "%i %u"):format(1, 2)"#, #"("%q"):format(("\0001\n\r\"\\x\0"):rep(1000))"#,
        #"("%s"):format(("x"):rep(5000))"#, #"("%.3s|%10s"):format(("x"):rep(5000), "y")"#,
        #"table.unpack({1, 2, 3})"#, #"table.unpack({1, 2, 3}, 2)"#, #"table.unpack({1, 2, 3}, 2, 5)"#,
        #"table.unpack({1, 2, 3}, 3, 2)"#, #"table.unpack()"#, #"table.unpack({}, "x")"#, #"table.unpack({}, 1, 1e8)"#,
        #"table.unpack(setmetatable({}, {__index = function(_, k) return k * 2 end}), 5, 8)"#,
        #"tostring()"#, #"tostring(nil)"#, #"tostring(setmetatable({}, {__tostring = function() return 5 end}))"#,
        #"tostring(setmetatable({}, {__tostring = function() return "x" end}))"#,
        #"("x"):rep(20000):gsub("", "")"#, #"("x"):rep(9000):find("x*$")"#, #"("x"):rep(9000):find("[a-w]+")"#,
        #"("("):rep(5000) .. (")"):rep(5000):match("%b()")"#, #"(("("):rep(5000) .. (")"):rep(5000)):match("%b()")"#,
        #"("x"):rep(9000):gsub("x+", "%0%0")"#, #"(("x"):rep(5000) .. "y"):find("y")"#,
        #"(("x"):rep(5000) .. "y"):find("[yz]")"#, #"(("x"):rep(4096) .. "y"):match("[x]*()y")"#,
    ]

    static let patterns = [
        #"("hello world"):find("wor")"#, #"("hello"):find("l")"#, #"("hello"):find("xyz")"#, #"("hello"):find("")"#,
        #"("hello"):find("", 10)"#, #"("hello"):find("", 6)"#, #"("hello"):find("l", -2)"#,
        #"("hello"):find("l", -50)"#,
        #"("a.b"):find(".", 1, true)"#, #"("a.b"):find("%.")"#, #"("a+b"):find("+", 1, true)"#,
        #"("key = value"):match("^(%w+)%s*=%s*(%w+)$")"#, #"("  trim  "):match("^%s*(.-)%s*$")"#,
        #"("2024-01-31"):match("(%d+)-(%d+)-(%d+)")"#, #"("hello"):match("()ll()")"#, #"("hello"):match(".-(l+)")"#,
        #"("f(a(b)c)d"):match("%b()")"#, #"("THE (quick) fox"):find("%((%a+)%)")"#, #"("x"):match("(")"#,
        #"("x"):match("%")"#, #"("x"):match("[a")"#, #"("x"):match("%b")"#, #"("x"):match("%f")"#,
        #"("x"):match("x)")"#,
        #"("x"):match("%1")"#, #"("abab"):match("(ab)%1")"#, #"("x"):match()"#, #"string.match()"#,
        #"string.find({}, "x")"#, #"("x"):find("x", "y")"#, #"("x"):find({})"#, #"string.match(12345, "%d%d")"#,
        #"("hello world"):gsub("o", "0")"#, #"("hello world"):gsub("o", "0", 1)"#, #"("hello"):gsub("", "-")"#,
        #"("hello"):gsub("l+", "<%0>")"#, #"("hello world"):gsub("(%w+) (%w+)", "%2 %1")"#,
        #"("abc"):gsub("%w", "%%%0")"#,
        #"("$name is $age"):gsub("%$(%w+)", {name = "Ann", age = 5})"#, #"("abc"):gsub("b", {b = false})"#,
        #"("abc"):gsub("%w", function(c) if c == "b" then return "B" end end)"#, #"("abc"):gsub("b", "%2")"#,
        #"("abc"):gsub("b", "%")"#, #"("abc"):gsub("b", "%x")"#, #"("abc"):gsub("b", function() return {} end)"#,
        #"("abc"):gsub("b")"#, #"("abc"):gsub("b", function() error("x", 0) end)"#,
        #"("abc"):gsub("b", "x", "y")"#, #"("abc"):gsub("b", "x", -1)"#, #"("abc"):gsub("^a", "x")"#,
        #"("a,b,,c"):gsub(",", ";")"#, #"#("äöü"):gsub("[\xC3]", "")"#, #"("x y"):gsub("%f[%w]%w", string.upper)"#,
        #"(function() local l = {} for w in ("one two"):gmatch("%a+") do l[#l + 1] = w end return table.unpack(l) end)()"#,
        #"(function() local l = {} for k, v in ("a=1,b=2"):gmatch("(%w)=(%w)") do l[k] = v end return l.a, l.b end)()"#,
        #"("abc"):gmatch("b")()"#, #"("abc"):gmatch("^b")()"#, #"("abc"):gmatch("b", 3)()"#, #"("abc"):gmatch("(")()"#,
        #"("x"):gmatch()"#, #"("abc"):gmatch("")()"#, #"("x"):rep(300):match(("x?"):rep(250))"#,
    ]

    static let tables = [
        #"at({1, 2}, function(t) table.insert(t, 3) end)"#, #"at({1, 2}, function(t) table.insert(t, 1, 0) end)"#,
        #"at({1, 2}, function(t) table.insert(t, 3, 5) end)"#, #"at({1, 2}, function(t) table.insert(t, 4, 5) end)"#,
        #"at({1, 2}, function(t) table.insert(t, 0, 5) end)"#, #"at({}, function(t) table.insert(t, "x") end)"#,
        #"at({1}, function(t) table.insert(t) end)"#, #"at({1}, function(t) table.insert(t, 1, 2, 3) end)"#,
        #"at({1}, function(t) table.insert(t, "x", 2) end)"#, #"at({1}, function(t) table.insert(t, nil) end)"#,
        #"table.insert()"#, #"table.insert(5, 5)"#, #"table.insert(nil, 5)"#, #"table.insert("x", 5)"#,
        #"at({1, 2, 3}, table.remove)"#, #"at({1, 2, 3}, function(t) return table.remove(t, 1) end)"#,
        #"at({1, 2, 3}, function(t) return table.remove(t, 2) end)"#,
        #"at({1, 2, 3}, function(t) return table.remove(t, 4) end)"#,
        #"at({}, table.remove)"#, #"at({}, function(t) return table.remove(t, 0) end)"#,
        #"at({1}, function(t) return table.remove(t, "x") end)"#, #"table.remove(5)"#, #"table.remove()"#,
        #"at({[0] = "zero"}, function(t) return table.remove(t, 0) end)"#,
        #"table.concat({1, 2, 3})"#, #"table.concat({1, 2, 3}, ", ")"#, #"table.concat({1, 2, 3}, ", ", 2)"#,
        #"table.concat({1, 2, 3}, ", ", 2, 3)"#, #"table.concat({1, 2, 3}, ", ", 3, 2)"#, #"table.concat({})"#,
        #"table.concat({1, {}, 3})"#, #"table.concat({1, nil, 3}, "", 1, 3)"#, #"table.concat({1.5, "x", 2})"#,
        #"table.concat({true})"#, #"table.concat(5)"#, #"table.concat({}, {})"#, #"table.concat({1, 2}, 0)"#,
        #"table.concat({"a"}, "x", math.maxinteger, math.maxinteger)"#,
        #"table.concat({[math.maxinteger] = "a"}, "x", math.maxinteger, math.maxinteger)"#,
        #"list(table.move({1, 2, 3}, 1, 3, 2))"#, #"list(table.move({1, 2, 3}, 2, 3, 1))"#,
        #"list(table.move({1, 2, 3}, 1, 3, 1, {}))"#, #"list(table.move({1, 2, 3}, 1, 3, 3))"#,
        #"list(table.move({1, 2, 3}, 1, 3, 4))"#, #"list(table.move({1, 2, 3}, 1, 0, 5))"#,
        #"list(table.move({1, 2, 3}, 1, 3, 3, {9}))"#, #"table.move({}, 1, math.maxinteger, 2)"#,
        #"table.move({}, -1, math.maxinteger, 2)"#, #"table.move({1}, 1, 2, math.maxinteger)"#, #"table.move({}, 1)"#,
        #"table.move(5, 1, 2, 3)"#, #"table.move({1}, 1, 1, 1, 5)"#, #"table.move({1}, "x", 1, 1)"#,
        #"table.unpack({1, 2, 3})"#, #"table.unpack({1, 2, 3}, 2)"#, #"table.unpack({}, 1, 3)"#,
        #"table.unpack({}, 1, 1e8)"#, #"table.pack(1, nil, 3).n"#,
        #"at(proxy({1, 2, 3}), function(p) table.insert(p, 4) end)"#,
        #"at(proxy({1, 2, 3}), function(p) return table.remove(p, 1) end)"#, #"table.concat(proxy({1, 2, 3}), "-")"#,
        #"list(table.move(proxy({1, 2, 3}), 1, 3, 2))"#,
        #"table.insert(setmetatable({}, {__len = function() return "x" end}), 1)"#,
        #"table.insert(setmetatable({}, {__newindex = function() error("no", 0) end}), 1)"#,
    ]

    static let sorting = [
        #"sorted{3, 1, 2}"#, #"sorted{}"#, #"sorted{1}"#, #"sorted{2, 1}"#, #"sorted{"b", "a", "c"}"#,
        #"sorted({3, 1, 2}, function(a, b) return a > b end)"#, #"sorted{1, "x"}"#, #"sorted{{}, {}}"#,
        #"sorted{true, false}"#,
        #"sorted({1, 2}, 5)"#, #"sorted({3, 1}, function() error("in it", 0) end)"#, #"table.sort(5)"#,
        #"table.sort()"#,
        #"sorted{1.5, 1, -2, 0.25}"#, #"sorted{"", "\0", "a\0", "a"}"#, #"sorted(proxy({3, 2, 1}))"#,
        #"sorted({1}, 5)"#,
        #"sorted(numbers(13))"#, #"sorted(numbers(100))"#, #"sorted(numbers(1000))"#, #"sorted(numbers(5000, 7))"#,
        #"sorted(numbers(500), function(a, b) return b < a end)"#, #"sorted(numbers(500, 1))"#,
        #"sorted(table.move(numbers(50), 1, 50, 51, numbers(50)))"#,
        #"(function() local t = numbers(300) table.sort(t) table.sort(t) return table.unpack(t, 1, 100) end)()"#,
        #"sorted({1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20}, function() return true end)"#,
        #"table.sort(setmetatable({}, {__len = function() return 1 << 40 end}))"#,
    ]

    static let calls = [
        #"pcall(error, "x", 0)"#, #"pcall(error)"#, #"pcall(error, nil)"#, #"pcall()"#,
        #"pcall(5)"#, #"select('#', pcall(function() return nil, nil end))"#, #"xpcall(error, tostring, "x")"#,
        #"xpcall(function(...) return ... end, tostring, 1, 2)"#, #"xpcall()"#, #"xpcall(print)"#,
        #"xpcall(error, function(e) return e .. "!" end, "x")"#, #"pcall(pcall, error, "x")"#,
        #"setmetatable({}, {__index = {a = 5}}).a"#, #"setmetatable(5, {})"#, #"setmetatable({}, 5)"#,
        #"setmetatable({})"#,
        #"getmetatable(setmetatable({}, {__metatable = "mine"}))"#,
        #"setmetatable(setmetatable({}, {__metatable = 1}), {})"#, #"rawset({}, "a", 1).a"#, #"rawset({})"#,
        #"rawset(5, 1, 1)"#,
        #"rawset({}, nil, 1)"#, #"rawget(setmetatable({}, {__index = {a = 1}}), "a")"#,
    ]

    static let coroutines = [
        #"coroutine.resume(coroutine.create(function(a) return a + 1 end), 4)"#,
        #"coroutine.wrap(function(a) return a + 1 end)(4)"#, #"coroutine.wrap(function() error("x", 0) end)()"#,
        #"coroutine.resume(coroutine.create(function() error("x", 0) end))"#, #"coroutine.create(5)"#,
        #"coroutine.wrap(5)"#,
        #"coroutine.create()"#, #"coroutine.resume(5)"#, #"coroutine.close(5)"#, #"coroutine.status(5)"#,
        #"coroutine.close(coroutine.create(function() end))"#,
        #"(function() local f = coroutine.wrap(function() coroutine.yield(1) return 2 end) return f(), f() end)()"#,
        #"(function() local f = coroutine.wrap(function() end) f() return f() end)()"#,
        #"(function() local c = coroutine.create(function() coroutine.yield() end) coroutine.resume(c) "#
            + #"return coroutine.close(c), coroutine.status(c), coroutine.resume(c) end)()"#,
        #"(function() local c c = coroutine.create(function() return coroutine.resume(c) end) return coroutine.resume(c) end)()"#,
        #"(function() local c c = coroutine.wrap(function() return coroutine.close(coroutine.running()) end) return pcall(c) end)()"#,
        #"coroutine.resume(coroutine.create(function() return pcall(coroutine.yield, 5) end))"#,
        #"coroutine.resume(coroutine.create(function() return ("a"):gsub("a", coroutine.yield) end))"#,
        #"coroutine.resume(coroutine.create(function() local t = {2, 1} table.sort(t, coroutine.yield) end))"#,
    ]

    /// The script of ``TwinScript``: `answer("N")` runs row N, from 1.
    static var source: String {
        let rows = all.map { "function() return \($0) end," }.joined(separator: "\n")
        return """
            local function list(t)
              local values = {}
              for i = 1, math.min(#t, 300) do values[i] = t[i] end
              return #t, table.unpack(values)
            end
            local function at(t, f) local result = f(t) return result, list(t) end
            local function proxy(t)
              return setmetatable({}, {
                __index = function(_, k) return t[k] end, __newindex = function(_, k, v) t[k] = v end,
                __len = function() return #t end,
              })
            end
            local function sorted(t, f) table.sort(t, f) return list(t) end
            local function numbers(count, below)
              local t, x = {}, 7
              for i = 1, count do x = (x * 16807) % 2147483647 t[i] = x % (below or 1000000) end
              return t
            end
            local rows = {
            \(rows)
            }
            local function answer(text)
              local values = table.pack(pcall(rows[math.tointeger(text)]))
              for i = 1, values.n do
                local value = values[i]
                local kind = math.type(value) or type(value)
                values[i] = kind .. " " .. ((kind == "string" or kind == "boolean" or math.type(value)) and tostring(value) or "")
              end
              return table.concat(values, "; ")
            end
            """
    }
}

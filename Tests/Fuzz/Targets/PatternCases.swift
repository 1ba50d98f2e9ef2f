// Cases for the pattern functions, made and run by a script, so that Lua as it comes and the sandbox can both run them.

/// The script of ``TwinScript`` that runs patterns.
enum PatternCases {
    /// `answer("random SEED COUNT")` makes and runs that many cases, one line each. Any other text is one case: the
    /// function and the replacement are drawn from its first two bytes, then come the pattern, a line feed, the subject.
    static let source = #"""
        local replacements = {
          "", "x", "%0", "%1", "%2", "<%0>", "%%", "%", "%x", "%1%1", "%9", "a%", 5, 1.5, true, false,
          {a = "A", b = false, ["1"] = 1, [" "] = {}, ab = "Q"},
          function(...) return select("#", ...) .. ":" .. tostring((...)) end,
          function() return nil end, function(a) if a == "a" then return {} end return a end,
          function(a) error("in the callback of " .. tostring(a), 0) end,
        }

        local function shown(value)
          if type(value) ~= "string" then return math.type(value) and math.type(value) .. value or type(value) end
          local bytes = {}
          for i = 1, #value do
            local byte = value:byte(i)
            bytes[i] = byte > 32 and byte < 127 and string.char(byte) or "\\" .. byte .. ";"
          end
          return '"' .. table.concat(bytes) .. '"'
        end

        local function row(...)
          local values = table.pack(...)
          for i = 1, values.n do values[i] = shown(values[i]) end
          return table.concat(values, " ")
        end

        local function walk(subject, pattern, init)
          local rows = {}
          local function keep(...)
            if (...) == nil then return false end
            rows[#rows + 1] = row(...)
            return #rows < 100
          end
          local step
          if init then step = string.gmatch(subject, pattern, init) else step = subject:gmatch(pattern) end
          while keep(step()) do end
          return table.concat(rows, ", ")
        end

        local functions = {string.find, string.match, walk, string.gsub}
        local names = {"find", "match", "gmatch", "gsub"}

        local function run(number, subject, pattern, third, fourth)
          return names[number] .. " " .. row(subject, pattern, third, fourth) .. " -> "
            .. row(pcall(functions[number], subject, pattern, third, fourth))
        end

        local random = math.random
        local function any(list) return list[random(#list)] end

        local characters = {"a", "b", "c", "A", "1", " ", ".", "-", "(", "]", "\0", "%", "x", "\xE4", "_"}
        local function subject()
          local text = {}
          for i = 1, random(0, 14) do text[i] = random(3) == 1 and any(characters) or any{"a", "b", "a", "1", " "} end
          return table.concat(text)
        end

        local singles = {
          "a", "b", "c", "1", " ", ".", "%a", "%d", "%s", "%w", "%p", "%l", "%u", "%x", "%c", "%g", "%A", "%D", "%S",
          "%W", "%.", "%%", "%-", "%z", "%Z", "[ab]", "[^a]", "[a-c]", "[%w_]", "[]]", "[^]]", "[a-]", "[%a-z]",
          "[^%s]", "[%]]", "\0", "[-a]", "[1-]", "x", "%L", "%G", "[b-a]", "[%d-%a]", "[a-%%]", "[^%z]", "[\0-b]",
        }
        local suffixes = {"", "", "", "*", "+", "-", "?"}
        local odd = {
          "(", ")", "[", "%", "%b", "%f", "%ba", "[a", "[^", "[%", "*", "+", "-", "?", "]", "[]", "%b(", "[a-", "[^]",
          "%fa", "[%a",
        }
        local balances = {"%b()", "%bab", "%b a", "%baa", "%b\0a"}
        local frontiers = {"%f[%w]", "%f[a]", "%f[^a]", "%f[%z]", "%f[%W]"}
        local function item(depth)
          local chance = random(100)
          if chance <= 70 then return any(singles) .. any(suffixes) end
          if chance <= 78 and depth < 3 then
            local items = {}
            for i = 1, random(0, 3) do items[i] = item(depth + 1) end
            return "(" .. table.concat(items) .. ")"
          end
          if chance <= 80 then return "()" end
          if chance <= 83 then return any(balances) end
          if chance <= 86 then return any(frontiers) end
          if chance <= 90 then return "%" .. random(0, 3) end
          if chance <= 94 then return chance <= 92 and "$" or "^" end
          return chance <= 96 and any(odd) or any(characters)
        end

        local function pattern()
          local items = {}
          if random(8) == 1 then items[1] = "^" end
          for i = 1, random(0, 5) do items[#items + 1] = item(0) end
          if random(10) == 1 then items[#items + 1] = "$" end
          return table.concat(items)
        end

        local function case()
          local number, subject, pattern = random(4), subject(), pattern()
          if number == 4 then
            return run(4, subject, pattern, any(replacements), random(4) == 1 and random(-1, 5) or nil)
          end
          local init = random(3) == 1 and random(-17, 17) or nil
          return run(number, subject, pattern, init, number == 1 and random(10) == 1 or nil)
        end

        local function answer(text)
          local seed, count = text:match("^random (%d+) (%d+)$")
          if not seed then
            local pattern, subject = text:match("^..([^\n]*)\n?(.*)$")
            if not pattern then return "" end
            local replacement = replacements[text:byte(2) % #replacements + 1]
            local number = text:byte(1) % 4 + 1
            return run(number, subject, pattern, number == 4 and replacement or nil)
          end
          math.randomseed(math.tointeger(seed))
          local rows = {}
          for i = 1, math.tointeger(count) do rows[i] = case() end
          return table.concat(rows, "\n")
        end
        """#
}

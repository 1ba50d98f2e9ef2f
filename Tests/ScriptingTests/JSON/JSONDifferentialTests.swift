// The codec compared with lua-cjson, where both are defined: documents with numbers of at most fourteen digits, which
// lua-cjson writes in full, and damage that makes no number such as "1.", which it accepts.

import Testing

@testable import Scripting

@Suite("json: beside lua-cjson", .bounded)
struct JSONDifferentialTests {
    @Test("50,000 random documents are read and written as lua-cjson does", arguments: 0..<10)
    func random(part: Int) throws {
        let twins = try TwinScript(Self.source)
        var refused = 0
        var taken = 0
        for seed in 0..<10 {
            let (stock, sandbox) = twins.answers(Array("\(part * 10 + seed + 1) 500".utf8))
            let expected = stock.split(separator: "\n", omittingEmptySubsequences: false)
            let answered = sandbox.split(separator: "\n", omittingEmptySubsequences: false)
            #expect(expected.count == 500 && answered.count == 500, "\(sandbox.prefix(200))")
            for (expected, answered) in zip(expected, answered) where expected != answered {
                Issue.record("lua-cjson: \(expected)\njson:      \(answered)")
            }
            refused += expected.count { $0.hasSuffix("-> refused") }
            taken += expected.count { !$0.hasSuffix("-> refused") }
        }
        #expect(refused > 700 && taken > 3_000)
    }

    /// `answer("SEED COUNT")`: that many documents, one line each. A line is the document and its content, with members
    /// sorted by name and numbers in fourteen digits; and a flag that encoding the value gives the same content.
    private static let source = #"""
        local codec = json or cjson
        local decode = codec.decode
        if not json then
          codec.decode_invalid_numbers(false)
          codec.decode_max_depth(64)
          codec.encode_max_depth(64)
          decode = function(text)
            local done, value = pcall(codec.decode, text)
            if done then return value end
          end
        end

        local random = math.random
        local function any(list) return list[random(#list)] end

        local pieces = {
          "a", "b", "id", "name", " ", "/", "\\/", "\\\"", "\\\\", "\\n", "\\u00e4", "\\ud83d\\ude00", "\\u20AC", "\xC3\xA4",
          "\xE2\x82\xAC", "\xF0\x9F\x98\x80", "\\u0000", "\\u001F", "\\t", "\\b", "0", "{", "]", ",", "plain text of some length",
        }
        local function text()
          local list = {}
          for i = 1, random(0, 6) do list[i] = any(pieces) end
          return '"' .. table.concat(list) .. '"'
        end

        local function number()
          local kind = random(5)
          if kind == 1 then return tostring(random(-9, 9)) end
          if kind == 2 then return tostring(random(-99999999999999, 99999999999999)) end
          if kind == 3 then return random(-9999, 9999) .. "." .. random(1, 999999) end
          if kind == 4 then return random(0, 99) .. any{"e", "E"} .. any{"", "+", "-"} .. random(0, 20) end
          return random(-99, 99) .. "." .. random(0, 99) .. "e" .. random(-200, 200)
        end

        local document
        local function spaces() return random(6) == 1 and any{" ", "\n", "\t", "\r", "  "} or "" end
        local function list(depth, open, close, item)
          local items = {}
          for i = 1, random(0, depth > 1 and 3 or random(12)) do items[i] = spaces() .. item(depth + 1) .. spaces() end
          return open .. table.concat(items, ",") .. close
        end
        local function member(depth) return text() .. spaces() .. ":" .. spaces() .. document(depth) end
        function document(depth)
          local kind = random(depth == 0 and 4 or 10)
          if depth > 5 then kind = 5 + kind % 6 end
          if kind <= 2 then return list(depth, "[", "]", document) end
          if kind <= 4 then return list(depth, "{", "}", member) end
          if kind <= 6 then return text() end
          if kind <= 8 then return number() end
          return any{"true", "false", "null"}
        end

        local structure = {"[", "]", "{", "}", ",", ":", '"', "n", "t", "u", "l"}
        local function damage(text)
          local places = {}
          for at in text:gmatch('()[%[%]{},:"ntul]') do places[#places + 1] = at end
          if #places == 0 then return text end
          local at = any(places)
          local with = any{"", any(structure), text:sub(at, at):rep(2)}
          return text:sub(1, at - 1) .. with .. text:sub(at + 1)
        end

        local overflow -- lua-cjson takes a number beyond all doubles
        local function shown(value)
          if value == math.huge or value == -math.huge then overflow = true end
          if value == codec.null then return "null" end
          if type(value) == "number" then return ("%.14g"):format(value) end
          if type(value) == "string" then return ("%q"):format(value):gsub("\n", "n") .. "" end
          if type(value) ~= "table" then return tostring(value) end
          local rows = {}
          for name, item in pairs(value) do rows[#rows + 1] = shown(name) .. "=" .. shown(item) end
          table.sort(rows)
          return "(" .. table.concat(rows, " ") .. ")"
        end

        local function answer(request)
          local seed, count = request:match("^(%d+) (%d+)$")
          math.randomseed(math.tointeger(seed))
          local rows = {}
          for i = 1, math.tointeger(count) do
            local text = document(0)
            for _ = 1, random(3) - 2 do text = damage(text) end
            local value = decode(text)
            overflow = false
            local says = shown(value)
            local row = text:gsub("[\n\r\0-\8\11-\31]", "~") .. " -> "
            if value == nil or overflow then
              row = row .. "refused"
            else
              row = row .. says .. (shown(decode(codec.encode(value))) == says and " again" or " and not again")
            end
            rows[i] = row:gsub("[\128-\255]", "?") .. ""
          end
          return table.concat(rows, "\n")
        end
        """#
}

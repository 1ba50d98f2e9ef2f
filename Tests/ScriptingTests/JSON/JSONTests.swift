import Testing

@testable import Scripting

@Suite("json", .bounded)
struct JSONTests {
    let stage: Stage

    init() throws {
        stage = try Stage()
    }

    @Test(
        "values that a script encodes",
        arguments: [
            ("{}", "{}"), ("{1, 2, 3}", "[1,2,3]"), ("{a = 1}", #"{"a":1}"#), ("{1, nil, 3}", "[1,null,3]"),
            ("{[2] = 1}", "[null,1]"), ("{[1.5] = 1}", #"{"1.5":1}"#), ("{[0] = 1}", #"{"0":1}"#),
            ("'a/\"\\\\\\n\\r\\t\\b\\f\\1\\127ä'", #""a/\"\\\n\r\t\b\f\u0001"# + "\u{7F}ä\""),
            ("true", "true"), ("json.null", "null"), ("nil", "null"), ("{json.null}", "[null]"),
            ("1 << 62", "4611686018427387904"), ("1234567890123456", "1234567890123456"),
            ("math.mininteger", "-9223372036854775808"), ("3.0", "3"), ("-0.0", "-0"), ("0.1", "0.1"),
            ("1/3", "0.3333333333333333"), ("0.1 + 0.2", "0.30000000000000004"), ("1e300", "1e+300"),
            ("1e15", "1000000000000000"),
            ("2^53", "9.007199254740992e+15"), ("1e-4", "0.0001"), ("1e-7", "1e-07"), ("-1234.5", "-1234.5"),
            ("123456789.123", "123456789.123"), ("5e-324", "5e-324"),
            ("{1, 2, 3, nil, 5, nil, nil, nil, nil, 10}", "[1,2,3,null,5,null,null,null,null,10]"),
        ])
    func encode(value: String, text: String) throws {
        #expect(try stage.run("show(json.encode(\(value)))") == [text])
    }

    @Test(
        "values that cannot be encoded raise",
        arguments: [
            ("print", "JSON: a function cannot be encoded"), ("{conn}", "JSON: a userdata cannot be encoded"),
            ("0/0", "JSON: there is no "), ("{[true] = 1}", "JSON: a key must be a string or a number, not boolean"),
            ("'\\xFF'", "JSON: a string is not valid UTF-8"),
            (
                "{[1] = 1, ['1'] = 2, a = 3}", "JSON: a table has the key 1 twice, as a number and as a string"
            ),
            (
                "{a = 3, [1.5] = 1, ['1.5'] = 2}", "JSON: a table has the key 1.5 twice, as a number and as a string"
            ),
            ("{[100] = 1}", "JSON: a list has 1 values but goes up to 100: too sparse"),
        ])
    func refuse(value: String, message: String) throws {
        let error = try stage.failure("json.encode(\(value))")
        #expect(error.message.hasPrefix(message))
        #expect(error.line == 2)
    }

    @Test("tables nested 64 deep are encoded, deeper or circular ones raise")
    func depth() throws {
        let nested = "local t = {} for i = 2, N do t = {t} end"
        #expect(try stage.run(nested.replacing("N", with: "64") + " show(#json.encode(t))") == ["128"])
        let message = "JSON: tables are nested more than 64 deep, or contain themselves"
        #expect(try stage.failure(nested.replacing("N", with: "65") + " json.encode(t)").message == message)
        #expect(try stage.failure("local t = {} t.t = t conn:send(t)").message == message)
    }

    @Test(
        "a script encodes again the same text that it decodes",
        arguments: [
            "{}", "[1,2]", "-0", #"{"a":[true,false,null,"x",-1.5]}"#, "12", #""\u0001ä""#, "[1e+300]", "0",
        ])
    func roundTrip(text: String) throws {
        let encoded = text == "[]" ? "{}" : text
        #expect(try stage.run("show(json.encode(json.decode(message)))", message: text) == [encoded])
    }

    @Test(
        "numbers: whole ones are integers while 64 bits hold them",
        arguments: [
            ("3", "3 integer"), ("3.0", "3 integer"), ("1e3", "1000 integer"), ("-0", "-0.0 float"),
            ("-0.0", "-0.0 float"), ("-0e5", "-0.0 float"), ("0.0", "0 integer"),
            ("0.5", "0.5 float"),
            ("9007199254740991.0", "9007199254740991 integer"), ("1e17", "1e+17 float"),
            ("1234567890123456789", "1234567890123456789 integer"),
            ("-9223372036854775808", "-9223372036854775808 integer"),
            ("9223372036854775808", "9.2233720368548e+18 float"),
        ])
    func numbers(text: String, shown: String) throws {
        #expect(try stage.run("local n = json.decode(message) show(n, math.type(n))", message: text) == [shown])
    }

    @Test(
        "escapes become characters",
        arguments: [
            (#""\"\\\/\b\f\n\r\t""#, "34 92 47 8 12 10 13 9"), (#""\u00e4""#, "195 164"),
            (#""\uD83D\uDE00x""#, "240 159 152 128 120"),
            (#""a\u0000b""#, "97 0 98"), (#""\u20AC""#, "226 130 172"),
        ])
    func escapes(text: String, bytes: String) throws {
        #expect(try stage.run("show(json.decode(message):byte(1, -1))", message: text) == [bytes])
    }

    @Test(
        "text that is not JSON is nil and the reason",
        arguments: [
            "", "[1,2", "[1,]", "{\"a\"}", "{a:1}", "{\"a\":1,}", "nul", "01", "-", "+1", "0x10", "\"a",
            #""\x""#, #""\u12G4""#, #""\uD800""#, #""\uDC00""#, "1 2", "nan", "'a'", "1e309", "[-1e999]",
            #"{"a":[{"b":1e400}]}"#,
        ])
    func invalid(text: String) throws {
        let shown = try stage.run("show(json.decode(message))", message: text)
        #expect(shown.first?.hasPrefix("nil invalid JSON: ") == true)
    }

    @Test(
        "the first of two mistakes is reported",
        arguments: [
            (#"'[1,}, \xff'"#, "line 1, byte 4: expected a value"),
            (#"'["\xff", }'"#, "line 1, byte 3: not valid UTF-8"),
            (#"'[1]\n\n x\xff'"#, "line 3, byte 7: expected nothing more"),
            (#"'[1]\n\xff'"#, "line 2, byte 5: not valid UTF-8"),
            (#"'["' .. ('ä'):rep(100000) .. '\xff", }'"#, "line 1, byte 200003: not valid UTF-8"),
            (#"'["' .. ('ä'):rep(100000) .. '\n", \xff'"#, "line 1, byte 200003: a control character in a string"),
        ])
    func firstMistake(text: String, problem: String) throws {
        #expect(try stage.run("show(json.decode(\(text)))") == ["nil invalid JSON: \(problem)"])
    }

    @Test("a number of more than 4,096 digits is an answer")
    func digits() throws {
        let shown = try stage.run(
            """
            show((json.decode("0." .. ("1"):rep(4096))))
            show(json.decode("[" .. ("1"):rep(4097) .. "]")) show(json.decode("1." .. ("1"):rep(4097)))
            show(json.decode("1e" .. ("0"):rep(4097)))
            """)
        #expect(shown.first == "0.11111111111111")
        let reason = "a number has more than 4096 digits"
        #expect(
            shown.dropFirst() == [
                "nil invalid JSON: line 1, byte 2: \(reason)", "nil invalid JSON: line 1, byte 3: \(reason)",
                "nil invalid JSON: line 1, byte 3: \(reason)",
            ])
    }

    @Test("JSON nested 64 deep is decoded, deeper is an answer")
    func decodeDepth() throws {
        let deep = { (n: Int) in String(repeating: "[", count: n) + String(repeating: "]", count: n) }
        #expect(try stage.run("show(type(json.decode(message)))", message: deep(64)) == ["table"])
        let shown = try stage.run("show(json.decode(message))", message: deep(65))
        #expect(shown.first?.contains("nested more than 64 deep") == true)
        #expect(
            try stage.run("show(json.decode(message) == nil)", message: String(repeating: "[{\"a\":", count: 50_000))
                == ["true"])
    }

    @Test("every prefix of a document is an answer, never a crash")
    func prefixes() throws {
        let text = #"{"a": [1, -2.5e+3, "x\u00e4\ud83d\ude00\n", {"b": null, "c": true}], "d": ""}"#
        try stage.load(["main": "function onMessage(conn, m) conn:send(tostring(json.decode(m) ~= nil)) end"])
        for count in 0...text.utf8.count {
            let outcome = stage.message(String(decoding: text.utf8.prefix(count), as: UTF8.self))
            #expect(outcome.isDone)
        }
        #expect(stage.host.sent.filter { $0 == "true" }.count == 1)
    }

    @Test("damaged documents that decode can be encoded and decoded again")
    func fuzz() throws {
        var random = SplitMix(seed: 7)
        let seed = Array(#"[{"key":[1,2.5e3,"\u00e4\n"],"k2":{"a":null}},true,false,-0.1]"#.utf8)
        try stage.load([
            "main":
                """
            function onMessage(conn, m) local v = json.decode(m)
            if v ~= nil then assert(json.encode(json.decode(json.encode(v))) ~= nil) end end
            """
        ])
        for _ in 0..<5_000 {
            var bytes = seed
            for _ in 0...Int(random.next() % 4) {
                let at = Int(random.next() % UInt64(bytes.count))
                switch random.next() % 3 {
                case 0: bytes[at] = UInt8(truncatingIfNeeded: random.next())
                case 1: bytes.remove(at: at)
                default: bytes.insert(bytes[Int(random.next() % UInt64(bytes.count))], at: at)
                }
            }
            let outcome = bytes.withUnsafeBytes { stage.engine.onMessage(stage.main, stage.first, $0, binary: true) }
            #expect(outcome.error == nil, "\(String(decoding: bytes, as: UTF8.self))")
        }
    }

    @Test("of two members with the same name the later one stays")
    func duplicates() throws {
        let many = (0..<40).map { "\"k\($0 % 20)\":\($0)" }.joined(separator: ",")
        let body = "local o = json.decode(message) local n = 0 for i = 0, 19 do n = n + o['k' .. i] end show(n)"
        #expect(try stage.run(body, message: "{\(many)}") == ["\((20..<40).reduce(0, +))"])
        #expect(try stage.run("show(json.decode(message).a)", message: #"{"a":1,"b":2,"a":3}"#) == ["3"])
    }

    @Test(
        "lists and objects of every size come back as they were", arguments: [0, 1, 7, 8, 9, 15, 16, 17, 32, 33, 500])
    func sizes(count: Int) throws {
        let body = """
            local n = math.tointeger(message)
            local list, object = {}, {}
            for i = 1, n do list[i] = i object['k' .. i] = {i} end
            local l, o = json.decode(json.encode(list)), json.decode(json.encode(object))
            for i = 1, n do assert(l[i] == i and o['k' .. i][1] == i) end
            local count = 0
            for _ in pairs(o) do count = count + 1 end
            show(#l, count)
            """
        #expect(try stage.run(body, message: "\(count)") == ["\(count) \(count)"])
    }

    @Test("messages, publications, log fields and answers use json.encode's form")
    func oneCodec() throws {
        let body =
            "conn:send{1 << 60} server.publish('c', {1 << 60}) log.info('x', {n = {1 << 60}}) show(json.encode{1 << 60})"
        let text = "[1152921504606846976]"
        #expect(try stage.run(body) == [text, text])
        #expect(stage.host.calls.contains(.publish("c", text, binary: false, except: nil)))
        #expect(stage.host.calls.contains { if case .log(_, _, ["n=" + text], _, _) = $0 { true } else { false } })
    }

    @Test("config is encoded with its content, also inside another table")
    func config() throws {
        let stage = try Stage(options: ScriptOptions(settings: #"{"limits":{"list":[1,2]},"key":"k"}"#))
        #expect(
            try stage.run("conn:send(config.limits) conn:send(config.limits.list)") == [#"{"list":[1,2]}"#, "[1,2]"])
        #expect(
            try stage.run("conn:send{config.limits.list, {config.limits}}") == [#"[[1,2],[{"list":[1,2]}]]"#])
    }
}

/// A small deterministic generator.
struct SplitMix {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

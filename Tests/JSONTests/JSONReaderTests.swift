// The members of an object: a conformance table, every cut, and noise.

import Foundation
import JSON
import SeededGenerator
import Testing

@Suite("JSONReader", .bounded)
struct JSONReaderTests {
    private static let values = [
        "null", "true", "false", "0", "-0", "1", "-1", "1.5", "1e5", "1E+5", "1e-5", "10.25e10", "\"\"", "\"a\"",
        #""\u0041\ud83d\ude80\"\\\/\b\f\n\r\t""#, "\"größer 🚀\"", "\"\u{7F}\"", "[]", "[ ]", "[1]", "[1 , 2]",
        "[[],[[]]]", "{}", "{ }", #"{"a":1}"#, #"{ "a" : [ {"b":null} ] , "c":"" }"#,
    ]

    private static let broken = [
        "", "nul", "nulll", "True", "01", "-", "+1", ".5", "1.", "1.e5", "1e", "1e+", "0x1", "NaN", "Infinity", "\"",
        "\"a", "'a'", "\"\u{1}\"", "\"\n\"", #""\x""#, #""\u12""#, #""\u+123""#, #""\ud800""#, #""\udc00""#,
        #""\ud800\u0041""#, #""\ud83d\"#, "[", "]", "[1", "[1,]", "[,1]", "[1 2]", "{", "{,}", #"{"a"}"#, #"{"a":}"#,
        #"{"a":1,}"#, "{a:1}", #"{"a" 1}"#, #"{1:2}"#, "// x", "1 // x", "\u{FEFF}1", "\u{A0}1",
    ]

    private func members(_ text: String) throws -> JSONReader.Members {
        try JSONReader.members(of: Array(text.utf8))
    }

    @Test("finds the places of an array's values, whatever they are")
    func elements() throws {
        let spaced = " [ " + Self.values.joined(separator: " ,\n") + " ]\n"
        for text in ["[" + Self.values.joined(separator: ",") + "]", spaced] {
            let bytes = Array(text.utf8)
            let places = try #require(try JSONReader.elements(of: bytes, limit: Self.values.count))
            #expect(places.map { String(decoding: bytes[$0], as: UTF8.self) } == Self.values)
            #expect(try JSONReader.elements(of: bytes, limit: Self.values.count - 1) == nil)
            for cut in 0..<bytes.lastIndex(of: UInt8(ascii: "]"))! {
                #expect(throws: JSONError.self) { try JSONReader.elements(of: Array(bytes[..<cut]), limit: 100) }
            }
        }
        #expect(try JSONReader.elements(of: Array(" [ ] ".utf8), limit: 0) == [])
    }

    @Test("an array with a value that RFC 8259 does not define has no elements", arguments: broken)
    func brokenElement(_ value: String) {
        for text in ["[1,\(value)]", "[\(value),1]"] {
            #expect(throws: JSONError.self) { try JSONReader.elements(of: Array(text.utf8), limit: 100) }
        }
        for text in ["", "{}", "1", "[1] 2", "[1],", "[1]]"] {
            #expect(throws: JSONError.self) { try JSONReader.elements(of: Array(text.utf8), limit: 100) }
        }
    }

    @Test("keeps the text of every kind of value to the byte", arguments: values)
    func keeps(_ value: String) throws {
        for (before, after) in [("", ""), (" \t\r\n", "\n ")] {
            let read = try members("{\(before)\"v\"\(before):\(before)\(value)\(after)}\(after)")
            #expect(read.count == 1 && read["v"]?.json == value)
        }
    }

    @Test("refuses values that RFC 8259 does not define", arguments: broken)
    func refuses(_ value: String) {
        #expect(throws: JSONError.self) { try members("{\"v\":\(value)}") }
    }

    @Test("decodes strings and arrays of strings and keeps other values")
    func kinds() throws {
        let read = try members(##"{"s":"\u0041\ud83d\ude80\n","l":["a","\u00e4"],"e":[],"m":["a",1],"n":1}"##)
        guard case .string(let text)? = read["s"]?.value, case .strings(let list)? = read["l"]?.value,
            case .strings(let empty)? = read["e"]?.value
        else {
            Issue.record("a string or a list of strings was not recognised")
            return
        }
        #expect(text == "A🚀\n" && list == ["a", "ä"] && empty == [])
        for name in ["m", "n"] {
            guard case .other? = read[name]?.value else {
                Issue.record("\(name) is neither a string nor a list of strings")
                continue
            }
        }
    }

    @Test("refuses a repeated name, a second value, and bytes that are not UTF-8")
    func wholes() {
        for text in [#"{"a":1,"a":2}"#, #"{"a":1,"\u0061":2}"#, "{}{}", "{} x", "[]", "1", "\"a\"", "", " "] {
            #expect(throws: JSONError.self, "\(text)") { try members(text) }
        }
        #expect(throws: JSONError.self) {
            try JSONReader.members(of: Array("{\"a\":\"".utf8) + [0xFF, 0x22, 0x7D])
        }
    }

    @Test("takes 64 levels and refuses more, without running out of stack")
    func depth() throws {
        let nested = { (levels: Int) in
            "{\"v\":" + String(repeating: "[", count: levels) + String(repeating: "]", count: levels) + "}"
        }
        _ = try members(nested(JSONReader.maxDepth))
        for levels in [JSONReader.maxDepth + 1, 100_000] {
            #expect(throws: JSONError.self) { try members(nested(levels)) }
        }
    }

    @Test("refuses every cut of a text")
    func cuts() throws {
        let text = Array(#"{"channel":"n\u00e4\ud83d\ude80","data":{"a":[1.5e3,true,null,"x"],"b":{}},"l":["a"]}"#.utf8)
        _ = try JSONReader.members(of: text)
        for end in 0..<text.count {
            #expect(throws: JSONError.self) { try JSONReader.members(of: Array(text[..<end])) }
        }
    }

    @Test("accepts no bytes that Foundation's reader refuses")
    func noise() throws {
        let seed = Array(#"{"a":"\u00e4\n","b":[1,-2.5e3,"x",{"c":null}],"d":true}"#.utf8)
        let letters = Array("{}[]\",:\\u0123eE.+-tfn \u{1}\u{7F}ä".utf8)
        var random = SeededGenerator(seed: 7)
        var taken = 0
        for _ in 0..<20_000 {
            var bytes = seed
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                let place = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0...2, using: &random) {
                case 0: bytes[place] = letters.randomElement(using: &random)!
                case 1: bytes.remove(at: place)
                default: bytes.insert(letters.randomElement(using: &random)!, at: place)
                }
            }
            guard let read = try? JSONReader.members(of: bytes) else { continue }
            taken += 1
            for member in read.values {
                _ = try JSONSerialization.jsonObject(with: Data(member.json.utf8), options: .fragmentsAllowed)
            }
        }
        #expect(taken >= 1_000)
    }
}

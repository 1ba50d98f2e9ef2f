// JSON as it is written.

import JSON
import Testing

@Suite("JSONOutput", .bounded)
struct JSONOutputTests {
    @Test("writes members of every kind in the order in which they are added")
    func kinds() throws {
        let output = JSONOutput.object { members in
            members.add("text", "a\"b\\c\n\u{0}\u{1F680}")
            members.add("absent", String?.none)
            members.add("number", UInt64.max)
            members.add("negative", -1)
            members.add("flag", true)
            members.add("texts", ["a", "\""])
            members.addJSON("raw", "[1.50]")
            members.member("object") {
                $0.add("x", 1); $0.member("empty") { _ in }
            }
            members.list("list", [1, 2]) { $1.add("n", $0) }
            members.list("none", [Int]()) { $1.add("n", $0) }
        }
        #expect(
            output.text == #"{"text":"a\"b\\c\n\u0000🚀","absent":null,"number":18446744073709551615,"negative":-1,"#
                + #""flag":true,"texts":["a","\""],"raw":[1.50],"object":{"x":1,"empty":{}},"#
                + #""list":[{"n":1},{"n":2}],"none":[]}"#)
        #expect(try JSON(parsing: output.text)["text"] == "a\"b\\c\n\u{0}\u{1F680}")
        #expect(JSONOutput.object { _ in }.text == "{}")
    }

    @Test(
        "writes whole numbers as the language does",
        arguments: [0, 1, 9, 10, 99, 100, 12_345_678, 1_000_000_000_000_000_000, .max, -1, -10, .min])
    func numbers(number: Int) {
        #expect(JSONOutput.object { $0.add("n", number) }.text == "{\"n\":\(number)}")
        let unsigned = UInt64(bitPattern: Int64(number))
        #expect(JSONOutput.object { $0.add("n", unsigned) }.text == "{\"n\":\(unsigned)}")
    }

    @Test("values are appended behind each other, and taken out together")
    func appended() {
        var output = JSONOutput()
        output.append { $0.add("a", 1) }
        output.append(UInt8(ascii: ","))
        output.append(object: Array(#"{"b":2}"#.utf8).dropLast())
        #expect(output.take() == Array(#"{"a":1},{"b":2}"#.utf8))
        #expect(output.take().isEmpty && output.bytes.isEmpty)
        output.append { _ in }
        #expect(output.text == "{}")
    }
}

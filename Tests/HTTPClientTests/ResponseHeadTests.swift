import Testing

@testable import HTTPClient

@Suite("the head of a response", .bounded)
struct ResponseHeadTests {
    @Test("a value that is not UTF-8 is read as ISO-8859-1, so that different values stay different")
    func foreign() {
        func value(_ bytes: [UInt8]) -> String? {
            var head = ResponseHead()
            (Array("User: J".utf8) + bytes + Array("rg\r\n".utf8)).withUnsafeBytes { head.add($0) }
            return head.fields.first?.value
        }
        #expect(value([0xF6]) == "Jörg" && value([0xFC]) == "Jürg" && value(Array("ö".utf8)) == "Jörg")
    }
}

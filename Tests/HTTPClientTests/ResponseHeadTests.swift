import Testing

@testable import HTTPClient

@Suite("the head of a response", .bounded)
struct ResponseHeadTests {
    @Test("a value that is not UTF-8 keeps its bytes, so that different values stay different")
    func foreign() {
        func value(_ bytes: [UInt8]) -> HTTPClientResponse.Field? {
            var head = ResponseHead()
            (Array("User: J".utf8) + bytes + Array("rg\r\n".utf8)).withUnsafeBytes { head.add($0) }
            return head.fields.first
        }
        for bytes in [[0xF6], Array("ö".utf8)] {
            #expect(value(bytes)?.value == Array("J".utf8) + bytes + Array("rg".utf8) && value(bytes)?.text == "Jörg")
        }
    }
}

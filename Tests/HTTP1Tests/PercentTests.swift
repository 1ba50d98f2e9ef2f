// Percent-encoding and query strings.

import HTTP1
import Testing

@Suite("Percent-encoding", .bounded)
struct PercentTests {
    @Test(
        "decodes escapes of either case",
        arguments: [
            ("", ""), ("abc", "abc"), ("a%20b", "a b"), ("%c3%A4", "ä"), ("%2F%2f", "//"), ("a+b", "a+b"),
            ("%00", "\0"),
            ("%25%34%31", "%41"), ("%F0%9F%98%80", "😀"),
        ])
    func decodes(_ encoded: String, _ text: String) {
        #expect(Percent.decode(encoded) == text)
    }

    @Test(
        "refuses a broken escape and text that is not UTF-8",
        arguments: ["%", "a%", "%4", "%4g", "%g4", "%%41", "% 41", "%+1", "%C3", "%FF", "%C0%80", "%ED%A0%80"])
    func refuses(_ encoded: String) {
        #expect(Percent.decode(encoded) == nil)
    }

    @Test("decodes + as a space only on request")
    func plus() {
        #expect(Percent.decode("a+b%2B", plusAsSpace: true) == "a b+")
        #expect(Percent.decode("a+b%2B", plusAsSpace: false) == "a+b+")
    }

    @Test("encodes everything except unreserved characters")
    func encodes() {
        #expect(Percent.encode("aZ09-._~") == "aZ09-._~")
        #expect(Percent.encode("a b/c?ä+%") == "a%20b%2Fc%3F%C3%A4%2B%25")
    }

    @Test("reads the pairs of a query in their order")
    func query() {
        let query = QueryString("channel=news&channel=sp+o%72t&x&=y&a=b=c")
        #expect(query.pairs.map(\.name) == ["channel", "channel", "x", "", "a"])
        #expect(query.pairs.map(\.value) == ["news", "sp ort", "", "y", "b=c"])
        #expect(query.all("channel") == ["news", "sp ort"])
        #expect(query.first("channel") == "news")
        #expect(query.first("a") == "b=c")
        #expect(query.first("Channel") == nil)
        #expect(!query.isTruncated)
    }

    @Test("skips the empty parts of a query")
    func emptyParts() {
        #expect(QueryString("").pairs.isEmpty)
        #expect(QueryString("&&a=1&&b=2&").pairs.map(\.name) == ["a", "b"])
    }

    @Test("leaves a broken escape in a query as it is")
    func brokenEscape() {
        let query = QueryString("a=100%&b=%zz%41&c=%FF")
        #expect(query.pairs.map(\.value) == ["100%", "%zzA", "\u{FFFD}"])
    }

    @Test(
        "says whether a query is UTF-8",
        arguments: [("a=%C3%A4", true), ("a=%80", false), ("%ff=a", false), ("", true)])
    func utf8(_ query: String, _ isUTF8: Bool) {
        #expect(QueryString(query).isUTF8 == isUTF8)
    }

    @Test("reads no more pairs than the limit and reports it")
    func pairLimit() {
        let hundred = Array(repeating: "a=1", count: 100).joined(separator: "&")
        #expect(QueryString(hundred).pairs.count == 100)
        #expect(!QueryString(hundred + "&").isTruncated)
        #expect(QueryString(hundred + "&b=2").pairs.count == 100)
        #expect(QueryString(hundred + "&b=2").isTruncated)
    }
}

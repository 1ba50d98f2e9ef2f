// The origins that each rule allows.

import Proxies
import SeededGenerator
import Testing

@Suite("Origin rules", .bounded)
struct OriginRuleTests {
    struct Row: Sendable, CustomTestStringConvertible {
        let rule: String
        let pass: [String]
        let fail: [String]
        var testDescription: String { rule }
    }

    static let rows = [
        Row(
            rule: "https://example.com",
            pass: ["https://example.com", "https://EXAMPLE.com", "https://example.com:443"],
            fail: [
                "http://example.com", "https://example.com:8443", "https://www.example.com",
                "https://example.com.evil.net",
                "https://evilexample.com", "https://example.com/", "https://example.com ", "https://user@example.com",
                "null", "", "https://", "example.com", "https:example.com", "https://example.com:",
                "https://example.com:0443",
            ]),
        Row(
            rule: "http://localhost:3000", pass: ["http://localhost:3000"],
            fail: ["http://localhost", "http://localhost:3001", "https://localhost:3000", "http://127.0.0.1:3000"]),
        Row(
            rule: "https://*.example.com",
            pass: [
                "https://www.example.com", "https://a.b.example.com", "https://A.Example.Com",
                "https://x.example.com:443",
            ],
            fail: [
                "https://example.com", "http://www.example.com", "https://www.example.com:8443", "https://.example.com",
                "https://evil-example.com", "https://www.example.com.evil.net", "https://*.example.com",
            ]),
        Row(
            rule: "http://*.test:8080", pass: ["http://a.test:8080"], fail: ["http://a.test", "http://test:8080"]),
        Row(
            rule: "http://[2001:DB8::1]:80", pass: ["http://[2001:db8::1]"],
            fail: ["http://[2001:db8::2]", "http://2001:db8::1", "http://[2001:db8::1", "http://[2001:db8::1]x"]),
        Row(
            rule: "capacitor://localhost", pass: ["capacitor://localhost"],
            fail: ["http://localhost", "capacitor://localhost:80"]),
        Row(rule: "null", pass: ["null"], fail: ["", "NULL", "https://null", "https://example.com"]),
        Row(rule: "*", pass: ["https://example.com", "null", "", "garbage \u{1}"], fail: []),
        Row(
            rule: "same-origin", pass: ["http://chat.example.org:8080", "https://chat.EXAMPLE.org:8080"],
            fail: ["http://chat.example.org", "http://example.org:8080", "null", "", "http://chat.example.org:8081"]),
    ]

    /// The Host of the requests in these tests.
    static let host = "Chat.example.org:8080"

    @Test("allows the origins of a rule and no others", arguments: rows)
    func rule(_ row: Row) throws {
        let rule = try #require(OriginRule(row.rule))
        #expect(OriginRule(rule.description) == rule)
        for origin in row.pass {
            #expect(OriginRule.allow(origins: [origin], host: Self.host, rules: [rule]), "\(origin.debugDescription)")
        }
        for origin in row.fail {
            #expect(!OriginRule.allow(origins: [origin], host: Self.host, rules: [rule]), "\(origin.debugDescription)")
        }
    }

    @Test(
        "refuses a text that is no rule",
        arguments: [
            "", " ", "example.com", "*.example.com", "https://", "https://*", "https://*.", "https://*example.com",
            "https://a.*.example.com", "https://example.com/", "https://example.com/path", "https://example.com:0x1",
            "https://example.com:65536", "https://user@example.com", "https://exa mple.com", "https://*.10.0.0.1",
            "https://*.[::1]", "://example.com", "1http://a", "https://exämple.com", "https://*..com", "same origin",
            "NULL",
        ])
    func malformed(_ text: String) {
        #expect(OriginRule(text) == nil)
    }

    @Test("allows only pages of the same host when there are no rules")
    func defaults() {
        #expect(OriginRule.allow(origins: ["http://a.org"], host: "a.org", rules: []))
        #expect(!OriginRule.allow(origins: ["http://b.org"], host: "a.org", rules: []))
        #expect(!OriginRule.allow(origins: ["null"], host: "a.org", rules: []))
        #expect(!OriginRule.allow(origins: ["http://a.org"], host: nil, rules: []))
    }

    @Test(
        "takes the default port of the page's scheme for a Host without one",
        arguments: [
            ("http://a.org", "a.org", true), ("https://a.org", "a.org", true), ("https://a.org", "a.org:443", true),
            ("http://a.org", "a.org:80", true), ("https://a.org", "a.org:80", false),
            ("http://a.org:8080", "a.org", false),
            ("http://[::1]:8080", "[::1]:8080", true), ("http://a.org", "b.org, a.org", false),
            ("http://a.org", "", false),
        ])
    func ports(origin: String, host: String, isSame: Bool) {
        #expect(OriginRule.allow(origins: [origin], host: host, rules: [.sameOrigin]) == isSame)
    }

    @Test(
        "allows a request without Origin and refuses one with two")
    func count() {
        #expect(OriginRule.allow(origins: [], host: "a.org", rules: []))
        #expect(OriginRule.allow(origins: [], host: "a.org", rules: [OriginRule("https://b.org")!]))
        #expect(!OriginRule.allow(origins: ["http://a.org", "http://a.org"], host: "a.org", rules: []))
        #expect(OriginRule.allow(origins: ["http://a.org", "http://b.org"], host: "a.org", rules: [.any]))
    }

    @Test("requires a rule for a page of the same host when there are rules")
    func only() {
        let rules = [OriginRule("https://b.org")!, OriginRule("https://*.c.org")!]
        #expect(!OriginRule.allow(origins: ["http://a.org"], host: "a.org", rules: rules))
        #expect(OriginRule.allow(origins: ["https://x.c.org"], host: "a.org", rules: rules))
        #expect(OriginRule.allow(origins: ["http://a.org"], host: "a.org", rules: rules + [.sameOrigin]))
    }

    @Test("never traps on garbage and allows only the exact origin")
    func fuzz() {
        var random = SeededGenerator(seed: 6)
        let alphabet = Array("htps:/a.b*[]1:0@? \0é")
        let rule = OriginRule("https://a.b")!
        for _ in 0..<20_000 {
            let text =
                "http"
                + String(
                    (0..<Int.random(in: 0...20, using: &random)).map { _ in alphabet.randomElement(using: &random)! })
            if let rule = OriginRule(text) { #expect(OriginRule(rule.description) == rule, "\(text.debugDescription)") }
            let passes = OriginRule.allow(origins: [text], host: "a.b", rules: [rule])
            #expect(passes == ["https://a.b", "https://a.b:443"].contains(text))
        }
    }
}

// Patterns of channel names, and the choice among several rules.

import PubSub
import Testing

@Suite("Channel patterns", .bounded)
struct ChannelPatternTests {
    @Test(
        "matches any run of characters with a star and all else exactly",
        arguments: [
            ("news", "news", true), ("news", "newss", false), ("news", "new", false),
            ("*", "a", true), ("*", "a.b", true),
            ("ticker.*", "ticker.EUR", true), ("ticker.*", "ticker.", true), ("ticker.*", "ticker", false),
            ("*.log", "a.log", true), ("*.log", "a.logs", false),
            ("room:*:typing", "room:1:typing", true), ("room:*:typing", "room::typing", true),
            ("room:*:typing", "room:typing", false),
            ("a*b*c", "abc", true), ("a*b*c", "a1b2b3c", true), ("a*b*c", "acb", false),
            ("a*bc*bc", "abc", false), ("a*bc*bc", "abcbc", true),
            ("**", "x", true), ("ä*", "äö", true),
        ])
    func matches(_ pattern: String, _ name: String, _ expected: Bool) throws {
        #expect(try #require(ChannelPattern(pattern)).matches(#require(Channel(name))) == expected)
    }

    @Test("refuses a pattern that could be no channel name")
    func malformed() {
        #expect(ChannelPattern("") == nil)
        #expect(ChannelPattern("a\nb") == nil)
        #expect(ChannelPattern(String(repeating: "a", count: 256)) == nil)
    }

    @Test("applies the most exact pattern, in any order of the rules")
    func mostExact() throws {
        let written = [("*", SlowConsumerPolicy.dropNewest), ("a*", .dropOldest), ("a.*", .conflate), ("a.b", .close)]
        let rules = try written.map { ChannelRules.Rule(try #require(ChannelPattern($0.0)), slow: $0.1) }
        for order in [rules, rules.reversed()] {
            let table = ChannelRules(order)
            #expect(table.rules.map(\.pattern.text) == ["a.b", "a.*", "a*", "*"])
            #expect(table.options(of: try #require(Channel("a.b"))).slow == .close)
            #expect(table.options(of: try #require(Channel("a.c"))).slow == .conflate)
            #expect(table.options(of: try #require(Channel("ax"))).slow == .dropOldest)
            #expect(table.options(of: try #require(Channel("b"))).slow == .dropNewest)
        }
        #expect(ChannelRules().options(of: try #require(Channel("b"))) == ChannelOptions())
    }
}

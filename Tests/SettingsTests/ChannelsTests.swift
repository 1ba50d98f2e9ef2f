// The key `channels`.

import PubSub
import Testing

@testable import Settings

@Suite("Options of channels in the configuration", .bounded)
struct ChannelsTests {
    private static let written = """
        channels:
          ticker.*:
            slow: conflate
          "*": {maxSize: 64 KiB}
          news: {}
        """

    @Test("a name has the options of the most exact pattern that matches, alone")
    func read() throws {
        let rules = try loadConfiguration(Self.written).channelRules
        #expect(rules.rules.map(\.pattern.text) == ["news", "ticker.*", "*"])
        let ticker = rules.options(of: try #require(Channel("ticker.eur")))
        #expect(ticker.slow == .conflate && ticker.maxSize == 1 << 30)
        #expect(rules.options(of: try #require(Channel("news"))) == ChannelOptions())
        #expect(rules.options(of: try #require(Channel("else"))).maxSize == 64 << 10)
    }

    @Test("writes what it reads, also for a variable")
    func roundTrip() throws {
        let configuration = try loadConfiguration(Self.written)
        #expect(try loadConfiguration(configuration.render()).channels == configuration.channels)
        let variable = #"{"ticker.*": {slow: conflate}, "*": {maxSize: 65536}, news: {}}"#
        #expect(
            try loadConfiguration("", environment: ["PERIGEE_CHANNELS": variable]).channels == configuration.channels)
    }

    @Test(
        "names the place and the mistake",
        arguments: [
            (
                "news: {slow: never}",
                #"channels["news"].slow is "never"; allowed: close, drop_oldest, drop_newest, conflate"#
            ),
            ("news: {slw: close}", #"unknown key 'channels["news"].slw'; did you mean 'slow'?"#),
            ("news: 5", #"channels["news"] is a text; allowed: a map of options"#),
            ("news: {slow: close, slow: close}", "given more than once: 'slow'"),
            (
                "news: {maxSize: 0}",
                #"channels["news"].maxSize is "0"; allowed: a size from 1 B to 1 GiB, in B, KiB, MiB or GiB"#
            ),
        ])
    func mistakes(text: String, message: String) throws {
        let problems = configurationProblems("channels:\n  \(text)")
        #expect(problems.count == 1)
        #expect(problems.first?.hasSuffix(message) == true, "\(problems)")
    }

    @Test("refuses policies in two places")
    func twice() {
        let problems = configurationProblems("channels: {a: {}}\nwebsocket: {slowConsumers: {b: close}}")
        #expect(problems.count == 1)
        #expect(problems.first?.contains("websocket.slowConsumers: channels has the policies") == true, "\(problems)")
    }

    @Test("takes the policies of the short form where there is no channels")
    func shortForm() throws {
        let rules = try loadConfiguration("websocket: {slowConsumers: {b*: conflate}}").channelRules
        #expect(rules.options(of: try #require(Channel("b1"))).slow == .conflate)
    }

    @Test("keeps what a channel's history says, in milliseconds")
    func history() throws {
        let written = "channels: {news: {history: {size: 100, age: 1h}, positionAge: 2h}}"
        let configuration = try loadConfiguration(written)
        let options = configuration.channelRules.options(of: try #require(Channel("news")))
        #expect(options.history.size == 100 && options.history.age == 3_600_000 && options.positionAge == 7_200_000)
        #expect(options.keepsHistory && configuration.channelRules.keepHistory)
        #expect(try loadConfiguration(configuration.render()).channels == configuration.channels)
        let none = try loadConfiguration("channels: {news: {history: {size: 100, age: 0}}}").channelRules
        #expect(!none.keepHistory)
        let problems = configurationProblems("channels: {news: {history: {sizes: 1}}}")
        #expect(
            problems.first?.contains(#"unknown key 'channels["news"].history.sizes'; did you mean 'size'?"#) == true)
    }

    @Test("explains which pattern a name meets")
    func explanation() throws {
        let configuration = try loadConfiguration(Self.written)
        let ticker = configuration.explanation(of: try #require(Channel("ticker.eur")))
        #expect(
            ticker.hasPrefix(
                "# the pattern 'ticker.*', more exact than '*'\nticker.eur:\n  history:\n    size: 0\n    age: 5m\n  positionAge: 720h\n  slow: conflate\n"
            ))
        let none = Configuration().explanation(of: try #require(Channel("a")))
        #expect(none.hasPrefix("# the defaults, because no pattern matches\na:\n  history:\n    size: 0\n"))
        #expect(none.split(separator: "\n").count >= 2 + ChannelOptionKey.all.count)
    }
}

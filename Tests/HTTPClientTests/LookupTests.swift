// Names whose look-up hangs: the number of threads that they take, and the requests that they delay.

import EventLoop
import SlowResolver
import Testing

@testable import HTTPClient

// They are among those tests because names are looked up for the whole process, one test at a time.
extension AddressTests {
    private static func request(_ name: String, _ stage: Stage, timeout: UInt64) throws -> HTTPClientRequest {
        var request = try HTTPClientRequest(.get, stage.backend.url("/", host: name))
        request.timeout = timeout
        return request
    }

    @Test("hanging look-ups take at most httpClient.lookups threads")
    func abandonedLookups() throws {
        var settings = HTTPClientSettings()
        settings.lookups = 4
        settings.concurrent = 30
        let stage = try Stage(settings: settings)
        let before = resolver_blocked()
        var reasons: [HTTPClientError.Reason?] = []
        // Twice as many requests as may run at once, each for another name.
        for number in 0..<60 {
            let request = try Self.request("n\(number).hangs.test", stage, timeout: 100)
            stage.client.start(request) { reasons.append($0.reason) }
        }
        stage.turn { reasons.count == 60 }
        #expect(reasons.allSatisfy { $0 == .timeout } && reasons.count == 60)
        #expect(resolver_blocked() - before == 4 && stage.client.counts.lookups == 4)
        // Another name has to wait for one of them, but an address and a known name do not.
        #expect(stage.ask(try Self.request("moves.test", stage, timeout: 100))?.reason == .timeout)
        #expect(try stage.get()?.text == "/")
        #expect(try stage.get(stage.backend.url("/", host: "localhost"))?.text == "/")
        // When they end, the next ones run, but none of those that were given up.
        resolver_move("127.0.0.1")
        resolver_release(4)
        #expect(try stage.get(stage.backend.url("/", host: "moves.test"))?.text == "/")
        stage.turn { stage.client.counts.lookups == 0 }
        #expect(resolver_blocked() == before && stage.client.counts.lookups == 0)
    }

    /// Its requests share one look-up.
    @Test("a hanging name delays no other")
    func sharedLookup() throws {
        var settings = HTTPClientSettings()
        settings.lookups = 2
        let stage = try Stage(settings: settings)
        let before = resolver_blocked()
        var ended = 0
        for _ in 0..<20 {
            stage.client.start(try Self.request("hangs.test", stage, timeout: 20_000)) { _ in ended += 1 }
        }
        stage.turn { resolver_blocked() == before + 1 }
        resolver_move("127.0.0.1")
        for _ in 0..<3 { #expect(try stage.get(stage.backend.url("/", host: "moves.test"))?.text == "/") }
        #expect(stage.client.counts.lookups == 1 && ended == 0)
        resolver_release(1)
        stage.turn { ended == 20 }
        #expect(ended == 20 && stage.client.counts.failed == 20)
    }

    @Test("the time for connecting is for the look-up as well")
    func lookupTime() throws {
        var settings = HTTPClientSettings()
        settings.connectTimeout = 60
        let stage = try Stage(settings: settings)
        let before = resolver_blocked()
        guard case .failure(let error)? = stage.ask(try Self.request("hangs.test", stage, timeout: 20_000)) else {
            Issue.record("no failure")
            return
        }
        #expect(error.reason == .timeout && error.detail == "no address within 60 ms")
        resolver_release(1)
        stage.turn { resolver_blocked() == before }
    }

    @Test("a client may end during a look-up and does not hear of its end")
    func endedClient() throws {
        let before = resolver_blocked()
        let first = try Stage()
        first.client.start(try Self.request("hangs.test", first, timeout: 20_000)) { _ in Issue.record("told") }
        first.turn { resolver_blocked() == before + 1 }
        first.client.close()
        first.turn(atMost: 20) { false }
        resolver_release(1)
        first.turn { resolver_blocked() == before && first.client.counts.lookups == 0 }
        #expect(first.client.counts.lookups == 0)
        #expect(try first.get()?.text == "/")
    }

    @Test("the name service is asked for names and never for an address")
    func names() throws {
        func name(_ url: String) throws -> String? { try RequestURL(url).nameToLookUp }
        #expect(try name("http://Example.com:81/x") == "example.com")
        // The ASCII form depends on the locale, but the name is looked up in any case.
        #expect(try name("https://b\u{FC}cher.example/") != nil)
        for url in [
            "http://127.0.0.1/", "http://2130706433/", "http://[::1]:80/", "http://localhost/", "http://LOCALHOST:1/",
            "http://a.localhost/", "http://0x7f.1/",
        ] {
            #expect(try name(url) == nil, "\(url)")
        }
    }
}

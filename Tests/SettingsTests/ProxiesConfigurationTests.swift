// The keys about proxies and origins, and the rule between them.

import Proxies
import Testing

@testable import Settings

@Suite("Configuration of proxies and origins", .bounded)
struct ProxiesConfigurationTests {
    @Test(
        "networks and origins are lists in a file, texts with commas elsewhere"
    )
    func lists() throws {
        let text = """
            websocket: {origins: ['https://*.example.com', same-origin, 'null']}
            proxies: {trusted: [10.0.0.0/8, '::1'], protocol: true, header: forwarded}
            """
        let configuration = try loadConfiguration(text)
        #expect(configuration.proxies.trusted == [IPNetwork("10.0.0.0/8")!, IPNetwork("::1/128")!])
        #expect(configuration.proxies.protocol && configuration.proxies.header == .forwarded)
        #expect(configuration.websocket.origins == [OriginRule("https://*.example.com")!, .sameOrigin, .null])
        #expect(try loadConfiguration(configuration.render()) == configuration)
        let fromVariables = try loadConfiguration(
            "",
            environment: [
                "PERIGEE_PROXIES_TRUSTED": "10.0.0.0/8, ::1", "PERIGEE_PROXIES_PROTOCOL": "true",
                "PERIGEE_PROXIES_HEADER": "forwarded",
                "PERIGEE_WEBSOCKET_ORIGINS": "https://*.example.com,same-origin,null",
            ])
        #expect(fromVariables == configuration)
    }

    @Test(
        "a wrong or repeated network or origin is a problem with its place",
        arguments: [
            ("proxies: {trusted: [10.0.0.1/8]}", "proxies.trusted[0] is \"10.0.0.1/8\""),
            ("proxies: {trusted: [10.0.0.0/8, 10.0.0.0/8]}", "proxies.trusted[1] is \"10.0.0.0/8\""),
            ("proxies: {trusted: localhost}", "proxies.trusted is a text"),
            ("proxies: {header: xff}", "proxies.header is \"xff\""),
            ("websocket: {origins: [example.com]}", "websocket.origins[0] is \"example.com\""),
            ("websocket: {origins: ['https://example.com/']}", "websocket.origins[0] is \"https://example.com/\""),
        ])
    func mistakes(text: String, message: String) {
        let problems = configurationProblems(text)
        #expect(problems.count == 1 && problems[0].contains(message), "\(problems)")
    }

    @Test("the PROXY protocol needs trusted proxies, except on a UNIX socket")
    func nobody() {
        let problems = configurationProblems("proxies: {protocol: true}")
        #expect(problems.count == 1 && problems[0].contains("proxies.trusted is empty"))
        #expect(configurationProblems("proxies: {protocol: true, trusted: [10.0.0.0/8]}") == [])
        #expect(configurationProblems("proxies: {protocol: true}\nlisten: unix:/run/a.sock") == [])
    }
}

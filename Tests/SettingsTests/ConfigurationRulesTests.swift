// Rules between keys.

import Testing

@testable import Settings

@Suite("Rules between keys of the configuration", .bounded)
struct ConfigurationRulesTests {
    private let refusal = """
        admin.listen: 0.0.0.0:9080 is reachable from other machines and admin.keys is empty; \
        configure a key, or listen on a loopback address such as 127.0.0.1:9080
        """

    @Test("without a key the admin API listens on a loopback address only")
    func loopback() throws {
        #expect(configurationProblems("admin: {listen: '0.0.0.0:9080'}") == ["perigee.yaml:1:17: \(refusal)"])
        #expect(
            configurationProblems("", environment: ["PERIGEE_ADMIN_LISTEN": "0.0.0.0:9080"]) == [
                "PERIGEE_ADMIN_LISTEN: \(refusal)"
            ])
        #expect(configurationProblems("", flags: [("admin.listen", "0.0.0.0:9080")]) == ["command line: \(refusal)"])
        for address in ["127.0.0.1:9080", "127.9.9.9:0", "'[::1]:9080'", "localhost:1", "unix:/run/a.sock"] {
            #expect(configurationProblems("admin: {listen: \(address)}") == [])
        }
        #expect(configurationProblems("admin: {listen: '[::]:9080'}").count == 1)
        #expect(configurationProblems("admin: {listen: '192.168.1.1:9080'}").count == 1)
    }

    @Test("with a key the admin API may listen on any address")
    func withKey() throws {
        let configuration = try loadConfiguration(
            "admin: {listen: '0.0.0.0:9080'}", environment: ["PERIGEE_ADMIN_KEYS": "ops=0123456789abcdef"])
        #expect(configuration.admin.listen.isWildcard)
    }

    @Test("a refused key is not reported as missing")
    func refusedKey() {
        #expect(configurationProblems("admin: {listen: '0.0.0.0:9080', keys: [{name: a, key: short}]}").count == 1)
    }

    @Test(
        "clients and the admin API do not share a port",
        arguments: [
            ("127.0.0.1:7000", "127.0.0.1:7000", 1), ("0.0.0.0:7000", "127.0.0.1:7000", 1),
            ("127.0.0.1:7000", "127.0.0.2:7000", 0),
            ("0.0.0.0:0", "127.0.0.1:0", 0), ("unix:/a", "unix:/a", 1), ("unix:/a", "unix:/b", 0),
            ("unix:/a", "127.0.0.1:7000", 0),
        ])
    func sharedPort(clients: String, admin: String, count: Int) {
        #expect(configurationProblems("", flags: [("listen", clients), ("admin.listen", admin)]).count == count)
    }
}

// The keys of the admin API: the parts of one, and errors that never show a secret.

import Testing

@testable import Settings

@Suite("Keys of the admin API", .bounded)
struct AdminKeysTests {
    private let secret = "correct-horse-battery"

    /// Without scopes it has all of them.
    @Test("a key has a name, a secret and scopes")
    func file() throws {
        let configuration = try loadConfiguration(
            """
            admin:
              keys:
                - name: shop
                  key: \(secret)
                  scopes: [publish, read]
                - {name: ops, key: 0123456789abcdef}
            """)
        #expect(
            configuration.admin.keys == [
                AdminKey(name: "shop", key: secret, scopes: [.publish, .read]),
                AdminKey(name: "ops", key: "0123456789abcdef"),
            ])
    }

    @Test("a variable has NAME=KEY or NAME:SCOPE+SCOPE=KEY between commas, or YAML")
    func environment() throws {
        let keys = { try loadConfiguration("", environment: ["PERIGEE_ADMIN_KEYS": $0]).admin.keys }
        #expect(
            try keys("shop:publish+read=\(secret), ops=0123456789abcde==") == [
                AdminKey(name: "shop", key: secret, scopes: [.publish, .read]),
                AdminKey(name: "ops", key: "0123456789abcde=="),
            ])
        #expect(try keys("[{\"name\": \"a\", \"key\": \"\(secret)\"}]") == [AdminKey(name: "a", key: secret)])
        #expect(try keys("") == [])
    }

    @Test("each problem of a key has its place")
    func problemsOfKeys() {
        let text = """
            admin:
              keys:
                - name: two words
                  key: short
                  scopes: [publihs]
                - nmae: x
                  key: \(secret)
                - hello
                - {name: a, key: \(secret)}
                - {name: a, key: another-long-secret}
                - {name: b, key: \(secret), scopes: []}
            """
        let scopes = "a list of one or more of publish, read, manage"
        #expect(
            configurationProblems(text) == [
                "perigee.yaml:3:13: admin.keys[0].name is not allowed; allowed: 1 to 64 of A-Z a-z 0-9 _ . -",
                "perigee.yaml:4:12: admin.keys[0].key is not allowed; allowed: 16 to 1024 visible ASCII characters",
                "perigee.yaml:5:16: admin.keys[0].scopes is not allowed; allowed: \(scopes)",
                "perigee.yaml:6:7: unknown key 'admin.keys[1].nmae'; did you mean 'name'?",
                "perigee.yaml:6:7: admin.keys[1].name is nothing; allowed: 1 to 64 of A-Z a-z 0-9 _ . -",
                "perigee.yaml:8:7: admin.keys[2] is a text; allowed: a map of name, key and, optionally, scopes",
                "perigee.yaml:10:14: admin.keys[4].name is not allowed; allowed: a name that no other key has",
                "perigee.yaml:11:22: admin.keys[5].key is not allowed; allowed: a secret that no other key has",
                "perigee.yaml:11:53: admin.keys[5].scopes is not allowed; allowed: \(scopes)",
            ])
    }

    @Test(
        "no mistake shows a secret",
        arguments: [
            "correct-horse-battery", "[correct-horse-battery]", "correct horse=correct-horse-battery",
            "correct-horse-battery/=x", "a:correct-horse-battery=x", "a=correct-horse-battery,a=correct-horse-battery",
            "[{name: correct-horse-battery/, key: x}]", "[{name: a, key: [correct-horse-battery]}]",
            "[{name: a, key: correct-horse-battery é}]",
            "[{name: a, key: correct-horse-battery, scopes: correct-horse-battery}]",
            "[{key: correct-horse-battery, key: x}]", "[{key: *correct-horse-battery}]",
            "[{key: \"correct-horse-battery}]",
        ])
    func secretsStayHidden(text: String) {
        let lines =
            configurationProblems("", environment: ["PERIGEE_ADMIN_KEYS": text])
            + configurationProblems("admin:\n  keys: \(text)")
        #expect(lines.count >= 2)
        #expect(lines.filter { $0.contains("horse") } == [])
    }

    @Test("a key that is printed or dumped does not show its secret")
    func printing() {
        var configuration = Configuration()
        configuration.admin.keys = [AdminKey(name: "shop", key: secret)]
        var dumped = ""
        dump(configuration, to: &dumped)
        #expect(!dumped.contains(secret) && !"\(configuration)".contains(secret))
        #expect("\(configuration.admin.keys)".contains("shop"))
    }

    @Test("more than 256 keys are refused")
    func tooMany() {
        let items = (0...256).map { "{name: k\($0), key: secret-number-\(1000 + $0)}" }.joined(separator: ", ")
        #expect(configurationProblems("admin: {keys: [\(items)]}").count == 1)
    }
}

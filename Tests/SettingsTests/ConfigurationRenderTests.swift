// The configuration as text: the effective one, and the documented file.

import Testing

@testable import Settings

@Suite("The configuration as text", .bounded)
struct ConfigurationRenderTests {
    @Test("config/perigee.yaml equals the text generated from the table of keys")
    func documentedFile() throws {
        // The file is two folders above this one.
        let folder = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3).joined(
            separator: "/")
        let file = try ConfigurationFile.read(folder + "/config/perigee.yaml")
        #expect(
            file == Configuration.documented(), "write what Configuration.documented() returns to config/perigee.yaml")
        #expect(try Configuration.load(file: folder + "/config/perigee.yaml") == Configuration())
    }

    @Test("the documented file has every key with its default and its variable")
    func documentedKeys() throws {
        let text = Configuration.documented()
        for key in Configuration.keys {
            let line = key.value(Configuration(), true).written(as: key.name, indent: key.section == nil ? 0 : 2)
            #expect(text.contains("\n" + line.joined(separator: "\n") + "\n"))
            #expect(text.contains("# \(key.environmentName): \(key.allowed)\n"))
        }
        #expect(text.split(separator: "\n").map(String.init).filter { $0.count > 120 } == [])
        #expect(try loadConfiguration(text) == Configuration())
    }

    @Test("a key whose change needs no restart says so")
    func reloadable() {
        let key = ConfigurationKey("scripts.watch", \.scripts.watch, .flag, needsRestart: false, "Watch.")
        #expect(Configuration.documented(key).contains("  # Takes effect at the next reload of the scripts."))
        let other = ConfigurationKey("scripts.watch", \.scripts.watch, .flag, "Watch.")
        #expect(!Configuration.documented(other).contains { $0.contains("reload") })
    }

    @Test("secrets read (hidden) unless they are asked for")
    func secrets() throws {
        let text = """
            admin: {keys: [{name: shop, key: correct-horse-battery, scopes: [publish]}]}
            scripts: {settings: {deskKey: swordfish}}
            """
        let configuration = try loadConfiguration(text)
        let hidden = configuration.render()
        #expect(!hidden.contains("horse") && !hidden.contains("swordfish"))
        #expect(
            hidden.contains(
                "  keys:\n    - name: shop\n      key: (hidden)\n      scopes: [publish]\n  maxBody: 1 MiB\n"))
        #expect(hidden.contains("  settings:\n    deskKey: (hidden)\n"))
        #expect(configuration.render(showSecrets: true).contains("correct-horse-battery"))
        #expect(configuration.render(showSecrets: true).contains("deskKey: \"swordfish\""))
    }

    @Test("every key that is marked secret hides its value")
    func secretKeys() {
        var configuration = Configuration()
        configuration.admin.keys = [AdminKey(name: "shop", key: "correct-horse-battery")]
        configuration.scripts.settings = ScriptSettings([.init(name: "a", json: "\"swordfish\"")])
        for key in Configuration.keys {
            let (hidden, shown) = (key.value(configuration, false), key.value(configuration, true))
            #expect((hidden != shown) == key.isSecret, "\(key.path)")
        }
    }

    @Test("the text with secrets gives the same configuration again")
    func roundTrip() throws {
        let text = """
            listen: "[::1]:8081"
            workers: 3
            log: {level: trace, format: json}
            admin:
              maxBody: 1000
              requestTimeout: 1500ms
              keys:
                - {name: shop, key: 'a:secret#with"quotes\\', scopes: [manage, publish]}
                - {name: "007", key: "-----------------"}
            scripts:
              folder: "- odd: folder #1 "
              routes: {"/:": main, "*": x, "/a'b": "#x/null"}
              settings:
                "a: b": [1, 2.50, null, "x\\n\\u0085\\u2028\\u200e", {"": {}}]
                cron: "*/5 * * * *"
                "*": '&free *x'
            websocket: {subprotocols: ["a|b", "null", "1", "*", "!x"]}
            """
        let configuration = try loadConfiguration(text)
        #expect(configuration.scripts.folder == "- odd: folder #1 ")
        #expect(configuration.websocket.subprotocols == ["a|b", "null", "1", "*", "!x"])
        #expect(configuration.admin.keys[0].key == "a:secret#with\"quotes\\")
        #expect(try loadConfiguration(configuration.render(showSecrets: true)) == configuration)
    }
}

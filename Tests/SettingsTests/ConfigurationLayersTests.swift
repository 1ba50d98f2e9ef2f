// The order of the layers, and the name of a key in each.

import Logging
import Testing

@testable import Settings

@Suite("Layers of the configuration", .bounded)
struct ConfigurationLayersTests {
    private let file = """
        workers: 2
        log:
          level: debug
        websocket:
          maxChannels: 7
        """

    @Test("without a file, environment and flags every key has its default")
    func defaults() throws {
        let configuration = try Configuration.load()
        #expect(configuration == Configuration())
        #expect(configuration.listen.description == "0.0.0.0:8080")
        #expect(configuration.admin.listen.description == "127.0.0.1:9080")
        #expect(configuration.admin.maxBody == 1_048_576)
        #expect(configuration.timeouts.handshake == .seconds(10))
        #expect(configuration.scripts.settings.json == "{}")
    }

    @Test("the file is above the defaults")
    func fileAboveDefaults() throws {
        let configuration = try loadConfiguration(file)
        #expect(configuration.workers == 2)
        #expect(configuration.log.level == .debug)
        #expect(configuration.websocket.maxChannels == 7)
        #expect(configuration.demo == .loopback)
    }

    @Test("the environment is above the file, key by key")
    func environmentAboveFile() throws {
        let environment = ["PERIGEE_WORKERS": "3", "PATH": "/bin", "PERIGEE_WEBSOCKET_MAX_CHANNELS": "9"]
        let configuration = try loadConfiguration(file, environment: environment)
        #expect(configuration.workers == 3)
        #expect(configuration.websocket.maxChannels == 9)
        #expect(configuration.log.level == .debug)
    }

    @Test("flags are above the environment, the last of several counts")
    func flagsAboveEnvironment() throws {
        let configuration = try loadConfiguration(
            file, environment: ["PERIGEE_WORKERS": "3"], flags: [("workers", "4"), ("workers", "5")])
        #expect(configuration.workers == 5)
        #expect(configuration.log.level == .debug)
    }

    @Test("a list from a higher layer replaces the lower one's")
    func listsReplace() throws {
        let configuration = try loadConfiguration(
            "websocket: {subprotocols: [a, b]}", environment: ["PERIGEE_WEBSOCKET_SUBPROTOCOLS": "c"])
        #expect(configuration.websocket.subprotocols == ["c"])
    }

    @Test(
        "the environment name is the key path in upper snake case",
        arguments: [
            ("listen", "PERIGEE_LISTEN"), ("admin.maxBody", "PERIGEE_ADMIN_MAX_BODY"),
            ("kv.memory", "PERIGEE_KV_MEMORY"), ("scripts.onError", "PERIGEE_SCRIPTS_ON_ERROR"),
            ("websocket.maxMessage", "PERIGEE_WEBSOCKET_MAX_MESSAGE"),
        ])
    func environmentName(path: String, name: String) throws {
        let key = try #require(Configuration.keys.first { $0.path == path })
        #expect(key.environmentName == name)
    }

    @Test("every key has its own environment name and a documented section")
    func tableIsSound() {
        let keys = Configuration.keys
        #expect(Set(keys.map(\.path)).count == keys.count)
        #expect(Set(keys.map(\.environmentName)).count == keys.count)
        #expect(Set(keys.compactMap(\.section)) == Set(Configuration.sections.compactMap(\.name)))
        #expect(keys.filter(\.documentation.isEmpty).map(\.path) == [])
    }

    @Test("every key can be set in every layer to its own default", arguments: Configuration.keys.map(\.path))
    func everyKeyEverywhere(path: String) throws {
        let key = try #require(Configuration.keys.first { $0.path == path })
        let lines = key.value(Configuration(), true).written(as: key.name)
        let text = lines[0].dropFirst(key.name.count + 2)
        #expect(try loadConfiguration("", environment: [key.environmentName: String(text)]) == Configuration())
        #expect(try loadConfiguration("", flags: [(path, String(text))]) == Configuration())
    }

    @Test(
        "an empty file, an empty section and a section of null leave the defaults",
        arguments: ["", "# a\n", "admin:", "admin: ~", "{}", "---\n", "\u{FEFF}demo: loopback"])
    func emptyFile(text: String) throws {
        #expect(try loadConfiguration(text) == Configuration())
    }
}

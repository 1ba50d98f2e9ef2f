// The definitions for editors say what there is, no more and no less.

import Foundation
import JSON
import PerigeeTestKit
import Scripting
import Testing

@testable import ScriptTesting
@testable import Server

@Suite("Scripts/perigee.d.lua", .bounded)
struct DefinitionsTests {
    private let definitions: Definitions

    init() throws {
        definitions = Definitions(try Self.read("perigee.d.lua"))
    }

    private static func read(_ name: String) throws -> String {
        let root = #filePath.dropLast("/Tests/ServerTests/Scripts/DefinitionsTests.swift".count)
        return try String(contentsOfFile: "\(root)/Scripts/\(name)", encoding: .utf8)
    }

    /// The globals of Lua itself, which editors know.
    private static let basics: Set<String> = [
        "_VERSION", "assert", "collectgarbage", "error", "getmetatable", "ipairs", "next", "pairs", "pcall", "print",
        "rawequal", "rawget", "rawlen", "rawset", "require", "select", "setmetatable", "tonumber", "tostring", "type",
        "xpcall",
    ]
    private static let libraries: Set<String> = ["coroutine", "math", "string", "table", "utf8"]

    private func vocabulary() throws -> ScriptVocabulary {
        let host = CheckHost()
        let engine = try ScriptEngine(host: host, options: ScriptOptions())
        try engine.installTestKit(PackageResources.kit_lua)
        return withExtendedLifetime(host) { engine.vocabulary }
    }

    /// Nothing else is defined.
    @Test("every global, function and field of the host is defined")
    func api() throws {
        let vocabulary = try vocabulary()
        var real = vocabulary.globals.subtracting(Self.basics).subtracting(Self.libraries)
        for (owner, fields) in vocabulary.fields where !Self.libraries.contains(owner) {
            real.formUnion(
                fields.map { vocabulary.functions.contains("\(owner).\($0)") ? "\(owner).\($0)()" : "\(owner).\($0)" })
        }
        #expect(real.subtracting(definitions.api) == [], "not defined")
        #expect(definitions.api.subtracting(real) == [], "defined, but not there")
        #expect(Self.basics.subtracting(vocabulary.globals) == [] && vocabulary.globals.isSuperset(of: Self.libraries))
    }

    @Test("exactly the handlers of the host are defined")
    func handlers() {
        #expect(definitions.handlers == Set(ScriptHandler.allCases.map(\.name)))
    }

    @Test("a request has exactly the defined fields and those of the check")
    func request() throws {
        let host = CheckHost()
        let engine = try ScriptEngine(host: host, options: ScriptOptions())
        let source = """
            function onUpgrade(request)
              local names = {}
              for name in pairs(request) do names[#names + 1] = name end
              return false, 400, table.concat(names, " ")
            end
            """
        try engine.prepare(try ScriptBundle(version: 1, scripts: ["main": source])).get()
        engine.commit()
        let request = UpgradeRequest(path: "/", ip: "::1", certificate: "CN=x")
        let script = try #require(engine.script(forPath: "/"))
        let outcome = engine.onUpgrade(script, ConnectionHandle(slot: 1, generation: 1), request: request)
        guard case .refuse(_, let names) = outcome else {
            Issue.record("\(outcome)")
            return
        }
        let real = Set(names.split(separator: " ").map(String.init))
        #expect(real == definitions.fields["Request"] && real == ScriptVocabulary.handlerFields["request"])
        withExtendedLifetime(host) {}
    }

    /// And those of the check.
    @Test("calls and publications have exactly the defined fields")
    func questions() throws {
        #expect(definitions.fields["Publication"] == ScriptVocabulary.handlerFields["publication"])
        #expect(definitions.fields["Call"] == ScriptVocabulary.handlerFields["call"])
        let source = """
            local function names(t) local n = {} for k in pairs(t) do n[#n + 1] = k end return n end
            local seen
            function onPublish(publication) seen = names(publication) return false, table.concat(seen, " ") end
            function onRequest(request) return 200, names(request) end
            """
        try withServer(scripts: ["main.lua": source]) { server in
            let admin = HTTPClient(port: server.adminPort)
            let call = try admin.request("POST", "/v1/call/main?x=1", body: "x").json()
            #expect(Set((call.array ?? []).compactMap(\.string)) == definitions.fields["Call"])
            let push = try admin.request("POST", "/v1/channels/news/messages", body: "x").json()
            let reason = try #require(push["error"]?["message"]?.string)
            let fields = Set(reason.split(separator: " ").map(String.init))
            #expect(fields == ["channel", "data", "binary"])
        }
    }

    @Test("the options of server.publish and server.send are taken")
    func options() throws {
        let names = try #require(definitions.fields["PublishOptions"])
        #expect(names.isSuperset(of: ["except", "binary", "key"]))
        for (call, names) in [
            ("server.publish('a', 'b', ", names), ("server.send('a', 'b', ", definitions.fields["SendOptions"] ?? []),
        ] {
            #expect(!names.isEmpty)
            for name in names {
                let source = "local done, why = pcall(function() \(call){\(name) = false}) end) error(why or 'fine')"
                let bundle = try ScriptBundle(version: 1, scripts: ["main": source])
                let errors = ScriptEngine.check(bundle, options: ScriptOptions())
                #expect(errors.allSatisfy { !$0.message.contains("no option") }, "\(name)")
            }
        }
    }

    @Test("exactly the functions that wait are marked")
    func asynchronous() {
        let waiting: Set<String> = ["server.sleep()", "http.get()", "http.post()", "http.request()"]
        #expect(definitions.asynchronous == waiting.intersection(definitions.api))
    }

    @Test("the defined methods and fields of test objects are those of the kit")
    func testKit() {
        let kit = String(decoding: PackageResources.kit_lua, as: UTF8.self).split(separator: "\n").map(String.init)
        for name in ["App", "Client"] {
            let methods = kit.compactMap { line in
                line.hasPrefix("function \(name):") ? String(line.dropFirst(10 + name.count).prefix { $0 != "(" }) : nil
            }
            #expect(Set(methods) == definitions.methods[name], "\(name)")
        }
        let fields = kit.drop { $0 != "local clientFields = {" }.dropFirst().prefix { $0 != "}" }.compactMap { line in
            line.hasSuffix("= function(open)") || line.contains(" = function(")
                ? line.split(separator: " ").first.map(String.init) : nil
        }
        #expect(Set(fields) == definitions.fields["Client"])
    }

    @Test("every definition states its purpose and its results")
    func documented() {
        #expect(definitions.undocumented == [])
    }

    @Test("the editor's settings disable the libraries that scripts have not")
    func settings() throws {
        let settings = try JSON(parsing: try Self.read(".luarc.json"))
        let vocabulary = try vocabulary()
        let disabled = try #require(settings["runtime.builtin"]?.object)
        #expect(["io", "os", "debug", "package"].allSatisfy { disabled[$0] == "disable" })
        #expect(disabled.keys.allSatisfy { !vocabulary.globals.contains($0) })
        let globals = try #require(settings["diagnostics.globals"]?.array)
        #expect(Set(globals.compactMap(\.string)) == definitions.handlers)
    }
}

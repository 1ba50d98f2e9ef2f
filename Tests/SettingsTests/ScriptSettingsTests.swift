// The scripts' own settings: any YAML, as JSON that Lua reads as it was meant.

import Testing

@testable import Settings

@Suite("Settings of scripts", .bounded)
struct ScriptSettingsTests {
    @Test(
        "a value becomes the JSON that it means",
        arguments: [
            ("1", "1"), ("-42", "-42"), ("+5", "5"), ("007", "7"), ("0", "0"), ("-0", "-0"),
            ("9007199254740993", "9007199254740993"),
            ("1.5", "1.5"), (".5", "0.5"), ("-.5", "-0.5"), ("5.", "5.0"), ("1e3", "1e3"), ("1.0", "1.0"),
            ("6.02E+23", "6.02e+23"),
            ("0x1F", "31"), ("0o17", "15"), ("true", "true"), ("False", "false"), ("~", "null"), ("", "null"),
            ("null", "null"),
            ("yes", "\"yes\""), ("NO", "\"NO\""), ("off", "\"off\""), ("hello", "\"hello\""), ("'1'", "\"1\""),
            ("\"true\"", "\"true\""),
            ("!!str 12", "\"12\""), ("1.2.3", "\"1.2.3\""), ("2026-11-22", "\"2026-11-22\""),
            ("12:30:45", "\"12:30:45\""),
            ("0x", "\"0x\""), ("-", "[null]"), (".", "\".\""), ("+", "\"+\""), ("1e", "\"1e\""), ("e3", "\"e3\""),
            ("\"a\\nb\\t\\\"\\\\\"", "\"a\\nb\\t\\\"\\\\\""), ("\"\\u001b\\u2028\"", "\"\\u001b\\u2028\""),
            ("grüße 👋", "\"grüße 👋\""),
            ("[1, two, [3.0, null]]", "[1, \"two\", [3.0, null]]"),
            ("{b: 1, a: {c: []}}", "{\"b\": 1, \"a\": {\"c\": []}}"),
            ("'*/5 * * * *'", "\"*/5 * * * *\""), ("R&D *stars*", "\"R&D *stars*\""), ("{1: x}", "{\"1\": \"x\"}"),
        ])
    func values(yaml: String, json: String) throws {
        let configuration = try loadConfiguration(
            "scripts:\n  settings:\n    value: \(yaml == "-" ? "\n      -" : yaml)\n")
        #expect(configuration.scripts.settings.json == "{\"value\": \(json)}")
    }

    @Test(
        "a value that JSON cannot express is refused",
        arguments: [".inf", "-.Inf", ".nan", "1e999", "!!binary aGk=", "!lua x", "{? [a] : b}"])
    func refused(yaml: String) {
        #expect(configurationProblems("scripts:\n  settings:\n    value: \(yaml)\n").count == 1)
    }

    @Test("values more than 32 levels deep are refused")
    func depth() throws {
        let nested = { (levels: Int) in String(repeating: "[", count: levels) + String(repeating: "]", count: levels) }
        #expect(configurationProblems("scripts: {settings: {a: \(nested(32))}}") == [])
        #expect(
            configurationProblems("scripts: {settings: {a: \(nested(33))}}") == [
                "perigee.yaml:1:57: scripts.settings.a" + String(repeating: "[0]", count: 32)
                    + ": nested more than 32 levels deep"
            ])
    }

    /// A variable has NAME=VALUE or YAML.
    @Test("settings keep their order")
    func layers() throws {
        let fromText = { try loadConfiguration("", environment: ["PERIGEE_SCRIPTS_SETTINGS": $0]).scripts.settings }
        #expect(try fromText("z=1,a=two words").json == "{\"z\": 1, \"a\": \"two words\"}")
        #expect(try fromText("{z: [1], a: {b: '2'}}").json == "{\"z\": [1], \"a\": {\"b\": \"2\"}}")
        #expect(try fromText("").json == "{}")
        #expect(configurationProblems("", environment: ["PERIGEE_SCRIPTS_SETTINGS": "z=1,z=2"]).count == 1)
        #expect(configurationProblems("", environment: ["PERIGEE_SCRIPTS_SETTINGS": "z"]).count == 1)
        #expect(configurationProblems("scripts: {settings: [1]}").count == 1)
    }
}

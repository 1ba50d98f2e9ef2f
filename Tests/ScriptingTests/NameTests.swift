import Testing

@testable import Scripting

/// Bytes that are not UTF-8 are no names: if they were repaired on the way, two names could become one.
@Suite("names", .bounded)
struct NameTests {
    @Test(
        "a name that is not UTF-8 is refused and never repaired",
        arguments: [
            "conn:identify(string.pack('>I4', 128))", "server.sendUser(string.pack('>I4', 129), 'x')",
            "server.disconnect(string.pack('>I4', 129))", "server.send('\\xff', 'x')",
            "server.publish('c', 'x', {key = '\\xff'})", "server.every('\\xff', 1, print)",
            "server.cron('\\xff', '* * * * *', print)", "server.cancel('\\xff')", "http.get('http://h/\\xff')",
            "http.get('http://h/', {query = {user = '\\xff'}})", "http.get('http://h/', {headers = {user = '\\xff'}})",
            "http.request({url = 'http://h/', method = '\\xff'})",
        ])
    func refused(_ call: String) throws {
        let stage = try Stage()
        let error = try stage.failure(call)
        #expect(error.message.contains("UTF-8"))
        #expect(stage.host.calls.isEmpty && stage.host.requests.isEmpty)
    }

    @Test("states and classes are named by text, too", arguments: ["state", "class"])
    func declared(_ kind: String) throws {
        let stage = try Stage()
        let errors = try stage.prepare(["main": "server.\(kind)('\\xff', 1, function() return {} end)"]).errors
        #expect(errors.first?.message.contains("the name must be valid UTF-8") == true)
    }

    @Test("keys of kv are bytes and two different keys stay two")
    func keys() throws {
        let stage = try Stage()
        let shown = try stage.run("kv.set('\\x80', 1) kv.set('\\x81', 2) show(kv.get('\\x80'), kv.get('\\x81'))")
        #expect(shown == ["1 2"])
    }

    @Test("text of any script is a name")
    func text() throws {
        let stage = try Stage()
        _ = try stage.run("conn:identify('Zoë') server.sendUser('名', 'x')")
        #expect(stage.host.calls == [.identify(1, "Zoë"), .sendToUser("名", "x", binary: false)])
    }
}

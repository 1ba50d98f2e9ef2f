// Users of scripts over the wire: all connections of one, on all workers.

import PerigeeTestKit
import Server
import Testing

@Suite("users in scripts", .bounded)
struct UserTests {
    private static let script = #"""
        function onMessage(conn, m)
            local verb, rest = m:match("^(%a+) (.+)$")
            if verb == "iam" then conn:identify(rest) return conn:send("ok") end
            if verb == "tell" then return conn:send(tostring(server.sendUser(rest, "for " .. rest))) end
            if verb == "kick" then return conn:send(tostring(server.disconnect(rest, 4001, "out"))) end
        end
        """#

    @Test("server.sendUser reaches exactly the user's connections on every worker")
    func sends() throws {
        try withServer(scripts: ["main.lua": Self.script]) { server in
            let ada = try server.connectOnEachWorker()
            let bob = try server.connect()
            for client in ada {
                try client.send("iam ada")
                #expect(try client.receiveText() == "ok")
            }
            try bob.send("iam bob")
            #expect(try bob.receiveText() == "ok")
            try bob.send("tell ada")
            #expect(try bob.receiveText() == "true")
            for client in ada { #expect(try client.receiveText() == "for ada") }
            try bob.send("tell bob")
            #expect(Set([try bob.receiveText(), try bob.receiveText()]) == ["true", "for bob"])
        }
    }

    @Test("server.disconnect closes all connections of a user on every worker")
    func disconnects() throws {
        try withServer(scripts: ["main.lua": Self.script]) { server in
            let ada = try server.connectOnEachWorker()
            let bob = try server.connect()
            for client in ada {
                try client.send("iam ada")
                #expect(try client.receiveText() == "ok")
            }
            try bob.send("kick ada")
            #expect(try bob.receiveText() == "true")
            for client in ada {
                let close = try client.expectClose()
                #expect(close.code == 4001 && close.reason == "out")
            }
            try bob.send("iam bob")
            #expect(try bob.receiveText() == "ok")
        }
    }
}

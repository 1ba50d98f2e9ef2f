// The attacks of Attacks.swift on a server that serves other people too: before, meanwhile and after.

import JSON
import PerigeeTestKit
import Server
import Settings
import Testing

@testable import ScriptTesting

@Suite("attacks on a server", .bounded)
struct AttackServingTests {
    private static let attacks = [Attacks.endless, Attacks.refused, Attacks.recursion, Attacks.bombs].flatMap(suited)

    /// Those that need no table of a million elements for themselves, send nothing of their own, and have no mistake that
    /// is found when they are loaded.
    static func suited(_ attacks: [Attack]) -> [Attack] {
        let foundWhenLoaded = ["undefined global", "read-only", "attempt to call a nil value"]
        return attacks.filter { attack in
            !attack.top.contains("1000000") && !attack.body.contains("conn")
                && !foundWhenLoaded.contains { attack.message?.contains($0) == true }
        }
    }

    private static let echo = "function onMessage(conn, message) conn:send('echo ' .. message) end"

    /// "attack" attacks; everything else is echoed.
    private static func script(of attack: Attack) -> String {
        """
        \(attack.top)
        local function attack(conn) local function show(s) conn:send(s) end
        \(attack.body)
        end
        function onMessage(conn, message)
            if message == "attack" then attack(conn) end
            conn:send("echo " .. message)
        end
        """
    }

    private func echo(_ text: String, _ client: WebSocketClient) throws {
        try client.send(text)
        #expect(try client.receiveText() == "echo \(text)")
    }

    /// Echoes on both workers before, during and after the attack; the attacker stays connected.
    @Test("attacks neither stop the echoes of others nor end a connection")
    func served() throws {
        var scripts = ["main.lua": Self.echo]
        for (number, attack) in Self.attacks.enumerated() { scripts["a\(number).lua"] = Self.script(of: attack) }
        try withServer(
            scripts: scripts,
            configure: {
                // The default. With less, a client that comes after a bomb of 64 MB may be killed for the collector's
                // work.
                $0.scripts.budget = .milliseconds(50)
                $0.scripts.loadBudget = .seconds(60)
                $0.scripts.memory = 64 << 20
            },
            { server in
                #expect(Self.attacks.count > 100)
                try server.log.wait(for: "lua=\(ScriptCheck.luaVersion)")
                let others = try server.connectOnEachWorker()
                for (number, attack) in Self.attacks.enumerated() {
                    let attacker = try server.connect("/a\(number)")
                    for other in others { try echo("before \(number)", other) }
                    try attacker.send("attack")
                    for other in others { try other.send("meanwhile \(number)") }
                    for other in others { #expect(try other.receiveText() == "echo meanwhile \(number)") }
                    try attacker.send("after")
                    var answer = try attacker.receiveText()
                    if answer == "echo attack" { answer = try attacker.receiveText() }
                    #expect(answer == "echo after", "\(attack)")
                    for other in others { try echo("after \(number)", other) }
                    try attacker.close()
                    try attacker.expectClose()
                }
                let killed = try #require(try server.nodeState()["handlersKilled"]?.int)
                #expect(killed >= Self.suited(Attacks.endless).count)
            })
    }
}

// The longest wait of an echo client while attacks run on its own worker, in milliseconds: a figure, which wants a release
// build on a quiet machine. `make attack-waits` runs it; PERIGEETEST_ATTACK_WAITS is the bound.

import EventLoop
import Glibc
import PerigeeTestKit
import Synchronization
import Testing

@Suite("Attack waits", .enabled(if: getenv("PERIGEETEST_ATTACK_WAITS") != nil), .bounded)
struct AttackWaitTests {
    private static let echo = """
        function onMessage(conn, message) conn:send(message) end
        """

    private static let calm = "local calm = true"

    private static let bound = getenv("PERIGEETEST_ATTACK_WAITS").flatMap { Int(String(cString: $0)) } ?? 100

    /// Attacks by work that is deferred; some have no end, so each has a server to itself.
    private static let deferred = [
        Attack("for i = 1, 10000 do server.after(0, work) end"), Attack("for i = 1, 10000 do server.spawn(work) end"),
        Attack("local function f() work() server.after(0, f) server.after(0, f) end f()"),
        Attack("local function f() work() server.spawn(f) server.spawn(f) end f()"),
        Attack("for i = 1, 10000 do server.spawn(function() http.get('http://127.0.0.1:9/') end) end"),
        Attack("for i = 1, 10000 do server.spawn(function() http.get('http://127.0.0.1:9/') work() end) end"),
        Attack("for i = 1, 5000 do server.spawn(function() server.sleep(0.1) work() end) end"),
        Attack("for i = 1, 300 do server.spawn(function() while true do server.sleep(0.01) work() end end) end"),
        Attack("local stop = time.monotonic() + 0.01 while time.monotonic() < stop do end"),
    ]

    private static let work =
        "local function work() local stop = time.monotonic() + 0.015 while time.monotonic() < stop do end end"

    /// Made once: the probe is not to share its core with the making of messages.
    private static let cheapBeforeExpensive =
        [(50_000, "x"), (20, "w")].flatMap { count, text in (0..<count).flatMap { _ in ClientFrame.text(text).bytes } }

    /// An attack by events of many connections at once, or by the queue of one; each has a server to itself.
    private struct Siege: Sendable {
        let name: String
        let script: String
        var environment: [String: String] = [:]
        var count = 1
        /// The actions of each client, one after the other.
        let act: @Sendable (WebSocketClient) throws -> Void
    }

    private static let sieges = [
        Siege(
            name: "one Close behind 64 messages that wait for a handler",
            script: "function onMessage(c, m) if m == 'wait' then server.sleep(4) else work() end end onClose = work",
            act: {
                let texts = ["wait"] + (1...63).map { "\($0)" }
                try $0.socket.send(texts.flatMap { ClientFrame.text($0).bytes } + ClientFrame.close(code: 1000).bytes)
            }),
        Siege(
            name: "a user whose 100 connections are disconnected",
            script: """
                function onOpen(c) c:identify("crowd") end
                function onMessage() server.disconnect("crowd", 4000, "") end
                onClose = work
                """,
            count: 100, act: { try $0.send("all") }),
        Siege(
            name: "50 slow clients that begin to read",
            script: """
                function onMessage(c) for i = 1, 100 do c:send(("x"):rep(60000)) end end
                onDrain = work
                """,
            environment: ["PERIGEE_WEBSOCKET_MAX_QUEUE": "64 MiB"], count: 50,
            act: { client in
                for _ in 0..<100 { _ = try client.receiveText(timeout: .seconds(60)) }
            }),
        Siege(
            name: "40 clients whose pauses end together",
            script: "function onMessage(c, m) if m == 'w' then work() end end",
            environment: [
                "PERIGEE_LIMITS_MESSAGES_PER_SECOND": "50000", "PERIGEE_LIMITS_BURST": "1s",
                "PERIGEE_LIMITS_RATE_POLICY": "delay",
            ],
            count: 40,
            act: { client in try client.socket.send(cheapBeforeExpensive) }),
    ]

    private static func script(of attack: Attack) -> String {
        """
        \(attack.top)
        local function work() local stop = time.monotonic() + 0.015 while time.monotonic() < stop do end end
        local function attack(conn) local function show(s) conn:send(s) end
        \(attack.body)
        end
        function onMessage(conn, message)
            if message == "attack" then attack(conn) end
            if message == "after" then conn:send("after") end
        end
        """
    }

    /// Echoes without a pause, and knows the longest wait.
    private final class Probe: Sendable {
        /// A time to be watched, which is over when it has passed and some echoes have come.
        private struct Watch {
            let end: ContinuousClock.Instant
            var echoes = 3
        }

        private let worst = Mutex(0)
        private let isOver = Atomic<Bool>(false)
        private let watch = Mutex<Watch?>(nil)
        private let watched = Inbox<Bool>()

        /// The longest wait in microseconds since it was last asked.
        func take() -> Int {
            worst.withLock { worst in
                let value = worst; worst = 0; return value
            }
        }

        /// Returns when it has echoed for that time, three times at least; false when an echo never came.
        func echo(for time: Duration) -> Bool {
            watch.withLock { $0 = Watch(end: .now + time) }
            return watched.wait().last == true
        }

        func end() { isOver.store(true, ordering: .relaxed) }

        func run(port: UInt16) throws {
            // Nobody waits for a probe that has failed.
            defer { watched.post(false) }
            let client = try WebSocketClient.connect(port: port, timeout: .seconds(60))
            while !isOver.load(ordering: .relaxed) {
                let start = ContinuousClock.now
                try client.send("echo")
                _ = try client.receiveText(timeout: .seconds(60))
                let wait = Int(start.duration(to: .now) / .microseconds(1))
                worst.withLock { $0 = max($0, wait) }
                note()
            }
        }

        private func note() {
            let isDone = watch.withLock { watch in
                watch?.echoes -= 1
                guard let present = watch, present.echoes <= 0, ContinuousClock.now >= present.end else { return false }
                watch = nil
                return true
            }
            if isDone { watched.post(true) }
        }
    }

    private func withProbe(
        _ scripts: [String: String], environment: [String: String] = [:],
        _ body: (PerigeeProcess, Probe) throws -> Void
    ) throws {
        let perigee = try PerigeeProcess(
            scripts: scripts, arguments: ["--workers", "1"],
            environment: [
                "PERIGEE_SCRIPTS_BUDGET": "20ms", "PERIGEE_SCRIPTS_LOAD_BUDGET": "60s",
                // Ten thousand waiting functions fill 64 MiB, and then every event fails: that is another limit than time.
                "PERIGEE_DRAIN_WINDOW": "0ms", "PERIGEE_SCRIPTS_MEMORY": "256 MiB",
            ].merging(environment) { $1 })
        let probe = Probe()
        let port = perigee.clientPort
        let echoing = BackgroundThread { try probe.run(port: port) }
        try body(perigee, probe)
        probe.end()
        try echoing.value()
        perigee.process.signal(SIGTERM)
        _ = try perigee.process.wait()
    }

    /// Lets the attack go on for that time: an echo may wait at any moment of it.
    private func watch(_ probe: Probe, for time: Duration) { #expect(probe.echo(for: time)) }

    /// The longest wait beside a siege, in microseconds.
    private func wait(beside siege: Siege) throws -> Int {
        var worst = 0
        let scripts = ["main.lua": Self.echo, "a.lua": Self.work + "\n" + siege.script]
        _ = Self.cheapBeforeExpensive
        try withProbe(scripts, environment: siege.environment) { perigee, probe in
            let crowd = try (0..<siege.count).map { _ in
                try WebSocketClient.connect(port: perigee.clientPort, path: "/a", timeout: .seconds(60))
            }
            // The slow ones are sent more than they read, and then they read.
            for client in crowd where siege.script.contains("onDrain") { try client.send("fill") }
            watch(probe, for: .milliseconds(500))
            _ = probe.take()
            for client in crowd.prefix(siege.script.contains("disconnect") ? 1 : crowd.count) { try siege.act(client) }
            watch(probe, for: .seconds(3))
            worst = probe.take()
            withExtendedLifetime(crowd) {}
        }
        return worst
    }

    /// Waits until the attacker's events are over. The handler that says so may be killed itself, for the collector's work after a
    /// bomb, and is then asked again.
    private func waitForEnd(_ attacker: WebSocketClient) throws {
        for _ in 1...20 {
            try attacker.send("after")
            if isOver(attacker) { return }
        }
        Issue.record("the attacker was not answered in a minute")
    }

    private func isOver(_ attacker: WebSocketClient) -> Bool {
        while let text = try? attacker.receiveText(timeout: .seconds(3)) {
            if text == "after" { return true }
        }
        return false
    }

    @Test("an echo beside each of 100 attacks on its worker is within the bound")
    func worstWaits() throws {
        let attacks = [Attacks.endless, Attacks.refused, Attacks.recursion, Attacks.bombs]
            .flatMap { AttackServingTests.suited($0) }
        // The first is none: it shows what a probe waits for that has just begun.
        let events = [Attack(Self.calm)] + attacks
        var waits: [(name: String, microseconds: Int)] = []
        var scripts = ["main.lua": Self.echo]
        for (number, attack) in events.enumerated() { scripts["a\(number).lua"] = Self.script(of: attack) }
        try withProbe(scripts) { perigee, probe in
            for (number, attack) in events.enumerated() {
                let attacker = try WebSocketClient.connect(
                    port: perigee.clientPort, path: "/a\(number)", timeout: .seconds(60))
                watch(probe, for: .milliseconds(20))
                _ = probe.take()
                try attacker.socket.send((0..<5).flatMap { _ in ClientFrame.text("attack").bytes })
                try waitForEnd(attacker)
                watch(probe, for: .milliseconds(20))
                waits.append((attack.description, probe.take()))
                try attacker.close()
                _ = try attacker.expectClose(skippingMessages: true)
            }
        }
        for attack in Self.deferred {
            try withProbe(["main.lua": Self.echo, "a.lua": Self.script(of: attack)]) { perigee, probe in
                let attacker = try WebSocketClient.connect(port: perigee.clientPort, path: "/a", timeout: .seconds(60))
                watch(probe, for: .milliseconds(50))
                _ = probe.take()
                let count = attack.body.contains("stop") ? 300 : 10
                try attacker.socket.send((0..<count).flatMap { _ in ClientFrame.text("attack").bytes })
                watch(probe, for: .seconds(2))
                waits.append((attack.description, probe.take()))
            }
        }
        for siege in Self.sieges { waits.append((siege.name, try wait(beside: siege))) }
        #expect(waits.count > 104)
        for (name, wait) in waits.sorted(by: { $0.microseconds > $1.microseconds }) {
            let milliseconds = String(wait / 1_000)
            let space = String(repeating: " ", count: max(0, 6 - milliseconds.count))
            print("\(space)\(milliseconds) ms  \(name.prefix(100))")
        }
        let slow = waits.filter { $0.microseconds >= Self.bound * 1_000 && $0.name != Self.calm }
        #expect(slow.isEmpty, "\(slow)")
    }
}

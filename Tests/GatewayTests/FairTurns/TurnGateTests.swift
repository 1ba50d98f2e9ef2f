// Work that asks for the slice before it runs: each kind is cheap to bring about many times at once, and as expensive as its
// handler. In turns whose first event uses the slice up, two handlers run in each at most: that one, and one of the rotation.

import EventLoop
import PerigeeTestKit
import Scripting
import Settings
import Testing
import WebSocket

@testable import Gateway

@Suite("Gates of a turn", .bounded)
struct TurnGateTests {
    private static let script = """
        local function note(...) log.info(table.concat({...}, "|")) end
        local function second() note("spawned", "two") end
        local function first() server.spawn(second) note("spawned", "one") end
        function onOpen(conn) conn:identify("crowd") end
        function onMessage(conn, m)
            note("message", m)
            if m == "wait" then
                server.sleep(4)
                note("woke", m)
            elseif m == "all" then
                server.disconnect("crowd", 4000, "")
            elseif m == "flood" then
                for i = 1, 30 do conn:send(string.rep("x", 60000)) end
            elseif m == "timers" then
                for i = 1, 50 do server.every("t" .. i, 0.01, function() note("early", "t" .. i) end) end
                server.after(0.02, function() note("last", "timer") end)
            elseif m == "cancel" then
                for i = 1, 25 do server.cancel("t" .. i) end
                for i = 26, 50 do server.every("t" .. i, 60, function() note("late", "t" .. i) end) end
            elseif m == "spawn" then
                for i = 1, 3 do server.spawn(first) end
            end
        end
        function onDrain(conn) note("drain", conn.query.n) end
        function onClose(conn, code) note("close", code) end
        """

    private let hand: HandWorker

    init() throws {
        hand = try HandWorker(ScriptBundle(version: 1, scripts: ["main": Self.script])) {
            $0.timeouts.close = .seconds(1_000)
            $0.limits.messagesPerSecond = 20
            $0.limits.burst = .seconds(1)
            $0.limits.ratePolicy = .delay
            $0.keepalive.pingInterval = .seconds(2)
            $0.keepalive.pongTimeout = .seconds(1)
        }
    }

    private func clients(_ count: Int) -> [HandClient] {
        let clients = (0..<count).map { HandClient(to: hand, ip: 0x0A00_0000 + UInt32($0), target: "/?n=\($0)") }
        for _ in 0..<5 { hand.turn() }
        #expect(hand.worker.connections.openCount == count)
        return clients
    }

    /// The lines of each of the coming turns, until there is nothing more to do.
    private func turns(_ slice: HandWorker.Slice = .oneEvent) -> [[String]] {
        var turns: [[String]] = []
        var quiet = 0
        while quiet < 5, turns.count < 1_000 {
            hand.turn(slice)
            turns.append(hand.takeLines())
            quiet = turns.last!.isEmpty && !hand.worker.loop.hasWork ? quiet + 1 : 0
        }
        return turns
    }

    private func end() {
        hand.worker.stop()
        _ = turns(.whole)
        #expect(hand.worker.shutdown.hasEnded && hand.worker.connections.socketCount == 0)
        hand.end()
    }

    private func text(_ text: String) -> [UInt8] { ClientFrame.text(text).bytes }

    @Test("the next turn answers one message beside 20 clients that use slices up")
    func innocent() throws {
        let clients = clients(21)
        for client in clients.dropLast() { client.send((1...20).flatMap { text("\($0)") }) }
        // Until each of them has used a slice up.
        for _ in 0..<45 { hand.turn(.oneEvent) }
        _ = hand.takeLines()
        clients[20].send(text("innocent"))
        hand.turn(.none)
        hand.turn(.oneEvent)
        #expect(hand.takeLines().contains("message|innocent"))
        let rest = turns().joined()
        #expect(rest.count > 100)
        withExtendedLifetime(clients) { end() }
    }

    /// The end of a connection with waiting events.
    enum Ending: CaseIterable { case goodbye, reset, disconnected }

    /// Its onClose comes last.
    @Test(
        "a connection that ends behind queued messages leaves others their turns",
        arguments: Ending.allCases)
    func oneClient(_ ending: Ending) throws {
        let clients = clients(2)
        let goodbye = ending == .goodbye ? ClientFrame.close(code: 1000).bytes : []
        clients[0].send(text("wait") + (1...10).flatMap { text("\($0)") })
        hand.turn()
        #expect(hand.takeLines() == ["message|wait"])
        switch ending {
        case .goodbye: clients[0].send(goodbye)
        case .reset: clients[0].close()
        case .disconnected: hand.worker.close(user: "crowd", code: CloseCode(rawValue: 4000), reason: "")
        }
        let lines = turns()
        #expect(lines.allSatisfy { $0.count <= 2 }, "\(lines)")
        let code = [Ending.goodbye: 1000, .reset: 1006, .disconnected: 4000][ending]!
        let own = lines.joined().filter { ending != .disconnected || !$0.hasPrefix("close") }
        let expected = ["woke|wait"] + (1...10).map { "message|\($0)" }
        #expect(own == expected + (ending == .disconnected ? [] : ["close|\(code)"]))
        if ending == .disconnected { #expect(lines.joined().filter { $0 == "close|4000" }.count == 2) }
        withExtendedLifetime(clients) { end() }
    }

    @Test("a Close is read behind a deferred handler that waits")
    func goodbyeWhileWaiting() throws {
        let clients = clients(1)
        clients[0].send(text("wait") + text("wait"))
        #expect(Array(turns().joined()) == ["message|wait"])
        hand.clock.now += 4_000
        #expect(Array(turns().joined()) == ["woke|wait", "message|wait"])
        clients[0].send(ClientFrame.close(code: 1000).bytes)
        #expect(Array(turns().joined()) == ["woke|wait", "close|1000"])
        withExtendedLifetime(clients) { end() }
    }

    @Test("a closed connection is read to its end though its input was held back", arguments: [true, false])
    func heldGoodbye(isHeld: Bool) throws {
        let clients = clients(1)
        let goodbye = ClientFrame.close(code: 4000).bytes
        clients[0].send((1...5).flatMap { text("\($0)") } + (isHeld ? goodbye : []))
        hand.turn(.none)
        #expect(!hand.takeLines().contains("message|5"))
        let loop = hand.worker.loop
        let connection = try #require(
            (0..<loop.slotCount).compactMap { loop.source(at: $0) as? ClientConnection }.first)
        #expect(connection.isDeferred && connection.isHeldBack)
        let id = connection.id
        hand.worker.handle(.order { _ = $0.closeForOperator(id, code: CloseCode(rawValue: 4000), reason: "") })
        hand.turn()
        #expect(hand.takeLines() == ["close|4000"])
        #expect(hand.worker.connections.socketCount == 1)
        if !isHeld { clients[0].send(goodbye) }
        _ = turns()
        // It has the time to hang up first, which is short beside timeouts.close.
        hand.clock.now += 3_000
        _ = turns()
        #expect(hand.worker.connections.socketCount == 0)
        #expect(hand.worker.statistics.closes[Int(CloseReason.closeTimeout.rawValue)] == 0)
        #expect(hand.worker.statistics.closes[Int(CloseReason.closedByOperator.rawValue)] == 1)
        withExtendedLifetime(clients) { end() }
    }

    /// The ways in which many connections end at once.
    enum MassEnding: CaseIterable { case disconnected, drained, reset, goodbyes, silent }

    /// Each has its onClose.
    @Test(
        "many connections that end at once leave others their turns",
        arguments: MassEnding.allCases)
    func crowd(_ ending: MassEnding) throws {
        let clients = clients(60)
        switch ending {
        case .disconnected: clients[0].send(text("all"))
        case .drained: hand.worker.drain(Drain(window: 0, retry: 1_000, isHandover: false))
        case .reset: for client in clients { client.close() }
        case .goodbyes: for client in clients { client.send(ClientFrame.close(code: 1000).bytes) }
        case .silent: break
        }
        var lines = turns()
        // Three of those that answer no ping are due in each tick.
        for _ in 0..<60 where ending == .silent {
            hand.clock.now += 100
            lines += turns()
        }
        let closes = lines.map { $0.filter { $0.hasPrefix("close") }.count }
        #expect(closes.allSatisfy { $0 <= 1 }, "\(closes)")
        #expect(closes.reduce(0, +) == clients.count)
        #expect(hand.worker.connections.openCount == 0)
        withExtendedLifetime(clients) { end() }
    }

    /// Each has its onDrain.
    @Test("slow clients that read at once leave others their turns")
    func drains() throws {
        let clients = clients(10)
        for client in clients { client.send(text("flood")) }
        for _ in 0..<5 { hand.turn() }
        #expect(hand.takeLines().count == clients.count)
        var drains: [Int] = []
        for _ in 0..<500 where drains.reduce(0, +) < clients.count {
            for client in clients { client.read() }
            hand.turn(.oneEvent)
            drains.append(hand.takeLines().filter { $0.hasPrefix("drain") }.count)
        }
        #expect(drains.allSatisfy { $0 <= 2 }, "\(drains)")
        #expect(drains.reduce(0, +) == clients.count)
        withExtendedLifetime(clients) { end() }
    }

    @Test("a connection for which several onDrain wait has one")
    func oneDrain() {
        let pending = PendingEvents()
        func isDrain(_ event: PendingEvents.Event?) -> Bool { if case .drain = event { true } else { false } }
        for _ in 0..<100 { pending.append(.drain) }
        pending.append(.message([1], binary: false))
        pending.append(.drain)
        #expect(!pending.isFull)
        let first = pending.next()
        #expect(isDrain(first))
        pending.append(.drain)
        let second = pending.next()
        let third = pending.next()
        #expect(!isDrain(second) && isDrain(third) && pending.isEmpty)
    }

    /// No message is lost.
    @Test("clients whose pauses end at once leave others their turns")
    func pauses() throws {
        let clients = clients(10)
        for client in clients { client.send((0..<25).flatMap { text("\($0)") }) }
        for _ in 0..<5 { hand.turn() }
        #expect(hand.takeLines().count == 200, "twenty of each, and five wait")
        var lines: [[String]] = []
        for _ in 0..<5 {
            hand.clock.now += 200
            lines += turns()
        }
        #expect(lines.allSatisfy { $0.count <= 2 }, "\(lines.map(\.count))")
        #expect(lines.joined().count == 50)
        withExtendedLifetime(clients) { end() }
    }

    /// It takes no turn from others.
    @Test("a deferred timer that is cancelled or restarted does not run")
    func staleTimers() throws {
        let clients = clients(1)
        clients[0].send(text("timers"))
        hand.turn()
        #expect(hand.takeLines() == ["message|timers"])
        hand.clock.now += 100
        // All are due and put off in a turn that is over; in the next one somebody's turn has come.
        hand.turn(.over)
        #expect(hand.takeLines().isEmpty && hand.worker.rotation.backlog.timers == 51)
        hand.turn(.over)
        let early = hand.takeLines()
        #expect(early.count == 1 && early.allSatisfy { $0.hasPrefix("early") })
        #expect(hand.worker.rotation.backlog.timers == 50)
        clients[0].send(text("cancel"))
        hand.turn(.over)
        #expect(hand.takeLines() == ["message|cancel", "last|timer"])
        #expect(hand.worker.rotation.backlog.timers == 0)
        withExtendedLifetime(clients) { end() }
    }

    @Test("the backlog counts the functions that wait for the next batch")
    func spawned() throws {
        let clients = clients(1)
        clients[0].send(text("spawn"))
        hand.turn(.over)
        #expect(hand.takeLines() == ["message|spawn"], "work that is left over begins in the next turn")
        hand.turn(.over)
        #expect(hand.takeLines() == ["spawned|one"])
        #expect(hand.worker.rotation.backlog.spawned == 3, "two of this batch, and one of the next")
        #expect(turns().joined().count == 5)
        #expect(hand.worker.rotation.backlog.spawned == 0)
        withExtendedLifetime(clients) { end() }
    }
}

// Orders of events that only a clock turned by hand brings about.

import EventLoop
import PerigeeTestKit
import Scripting
import Settings
import Testing
import WebSocket

@testable import Gateway

@Suite("orders of events", .bounded)
struct HandWorkerTests {
    private static let script = """
        function onOpen(conn)
            conn.data.name = conn.query.n
            conn:identify("user " .. conn.query.n)
            conn:subscribe("channel " .. conn.query.n)
            kv.set("id " .. conn.query.n, conn.id)
        end
        local function whole(conn, what)
            log.info(table.concat({ "whole", what, tostring(conn.id ~= nil), tostring(conn.path), tostring(conn.ip),
                tostring(conn.user), tostring(conn.data.name), tostring(conn:channels()[1]) }, "|"))
        end
        function onMessage(conn, m)
            local ok, why = server.sleep(tonumber(m) / 1000)
            log.info("woke|" .. m .. "|" .. (ok and "done" or why))
        end
        function onClose(conn, code)
            whole(conn, code)
            for n = 1, 2 do
                local id = kv.get("id " .. n)
                if id then server.disconnect(id, 4000 + n) end
            end
            if conn.query.late then server.sleep(1) whole(conn, "late") end
        end
        function onStop() log.info("stop|") end
        """

    private func hand() throws -> HandWorker {
        try HandWorker(ScriptBundle(version: 1, scripts: ["main": Self.script])) {
            $0.scripts.eventTimeout = .seconds(5)
        }
    }

    private func lines(_ hand: HandWorker) -> [String] {
        for _ in 0..<5 { hand.turn() }
        return hand.takeLines()
    }

    @Test("onClose sees the whole connection that another's onClose closes")
    func together() throws {
        let hand = try hand()
        let clients = [1, 2].map { HandClient(to: hand, ip: 0x0A00_0000 + UInt32($0), target: "/chat?n=\($0)") }
        #expect(lines(hand).isEmpty)
        for client in clients { client.close() }
        hand.worker.stop()
        #expect(
            lines(hand) == [
                "whole|1006|true|/chat|10.0.0.1|user 1|1|channel 1",
                "whole|4002|true|/chat|10.0.0.2|user 2|2|channel 2",
                "stop|",
            ])
        #expect(hand.worker.connections.openCount == 0)
        hand.end()
    }

    @Test("an onClose that waits still sees the whole connection")
    func late() throws {
        let hand = try hand()
        let client = HandClient(to: hand, ip: 0x0A00_0001, target: "/chat?n=1&late=1")
        #expect(lines(hand).isEmpty)
        client.close()
        let whole = "true|/chat|10.0.0.1|user 1|1|channel 1"
        #expect(lines(hand) == ["whole|1006|\(whole)"])
        #expect(hand.worker.connections.socketCount == 0)
        hand.clock.now += 1_000
        #expect(lines(hand) == ["whole|late|\(whole)"])
        hand.worker.stop()
        #expect(lines(hand) == ["stop|"])
        hand.end()
    }

    @Test(
        "an event whose end meets its deadline leaves the next event alone",
        arguments: [("5000", "done"), ("5001", "timeout")])
    func successor(_ sleep: String, _ answer: String) throws {
        let hand = try hand()
        let client = HandClient(to: hand, ip: 0x0A00_0001, target: "/?n=1")
        #expect(lines(hand).isEmpty)
        client.send(ClientFrame.text(sleep).bytes + ClientFrame.text("4000").bytes)
        #expect(lines(hand).isEmpty)
        hand.clock.now += 5_010
        #expect(lines(hand) == ["woke|\(sleep)|\(answer)"])
        #expect(hand.worker.waiting.tasks.map(hand.worker.waiting.hasOperation) == [true])
        hand.clock.now += 4_000
        #expect(lines(hand) == ["woke|4000|done"])
        #expect(hand.worker.statistics.handlersTimedOut == (answer == "done" ? 0 : 1))
        client.close()
        #expect(lines(hand).count == 1)
        hand.worker.stop()
        #expect(lines(hand) == ["stop|"])
        hand.end()
    }

    @Test("only a close that an operator asked for is counted as the operator's")
    func operators() throws {
        let hand = try hand()
        let clients = (1...3).map { HandClient(to: hand, ip: 0x0A00_0000 + UInt32($0), target: "/chat?n=\($0)") }
        #expect(lines(hand).isEmpty)
        var counts: [UInt64] = []
        let ids = (0..<hand.worker.loop.slotCount).compactMap {
            (hand.worker.loop.source(at: $0) as? ClientConnection)?.id
        }
        #expect(ids.count == clients.count)
        for (id, isOperator) in zip(ids, [false, true, false]) {
            if isOperator {
                #expect(hand.worker.closeForOperator(id, code: .normal, reason: ""))
            } else {
                hand.worker.close(id, code: .normal, reason: "")
            }
            counts.append(hand.worker.statistics.closes[Int(CloseReason.closedByOperator.rawValue)])
        }
        #expect(counts == [0, 1, 1])
        hand.worker.stop()
        #expect(lines(hand).last == "stop|")
        hand.end()
    }

    /// Bytes that it sends do not extend the time.
    @Test("a closing peer has one timeouts.close for all that it sends")
    func oneDeadline() throws {
        let hand = try hand()
        let client = HandClient(to: hand, ip: 0x0A00_0001, target: "/chat?n=1")
        _ = lines(hand)
        let loop = hand.worker.loop
        let connection = try #require(
            (0..<loop.slotCount).compactMap { loop.source(at: $0) as? ClientConnection }.first)
        connection.close(.slowConsumer)
        _ = lines(hand)
        hand.clock.now += hand.worker.rules.closeTimeout - 1_000
        client.send([0xFF, 0xFF, 0xFF])
        _ = lines(hand)
        #expect(hand.worker.connections.socketCount == 1)
        hand.clock.now += 2_500
        _ = lines(hand)
        #expect(hand.worker.connections.socketCount == 0)
        hand.worker.stop()
        _ = lines(hand)
        hand.end()
    }
}

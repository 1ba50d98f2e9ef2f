// Frames for many connections, pages of channels and of one user's connections, a few steps in each turn.

import EventLoop
import PubSub
import Scripting
import Testing
import WebSocket

@testable import Gateway

@Suite("Walks", .bounded)
struct WalkTests {
    private static let script = """
        function onOpen(conn)
            conn:identify("ada")
            conn:subscribe("channel " .. conn.query.n)
            conn:subscribe("all")
        end
        """
    private static let count = 30
    private static let steps = 4

    private func hand() throws -> (HandWorker, [HandClient]) {
        let hand = try HandWorker(ScriptBundle(version: 1, scripts: ["main": Self.script]))
        let clients = (0..<Self.count).map { number in
            let client = HandClient(
                to: hand, ip: 0x0A00_0000 + UInt32(number), target: "/\(number % 2 == 0 ? "even" : "odd")?n=\(number)")
            client.kept = 1_000
            return client
        }
        for _ in 0..<3 { hand.turn() }
        #expect(hand.worker.connections.openCount == Self.count)
        hand.worker.walks.stepsInTurn = Self.steps
        return (hand, clients)
    }

    private func frame(_ text: String) -> Frame { Array(text.utf8).withUnsafeBytes { Frame.text($0) } }

    /// Turns until the worker has answered; no turn may take more steps than it has.
    private func answers(_ hand: HandWorker, count: Int = 1) -> [AdminMessage] {
        var answers: [AdminMessage] = []
        for _ in 0..<200 where answers.count < count {
            let before = hand.worker.walks.steps
            hand.turn()
            let taken = hand.worker.walks.steps - before
            // Of several frames at once, the last step may be for all of them.
            #expect(taken < Self.steps + count)
            answers += hand.takeMessages()
        }
        return answers
    }

    private func end(_ hand: HandWorker) {
        hand.worker.stop()
        for _ in 0..<5 { hand.turn() }
        hand.end()
    }

    /// The bytes sent to a client after the answer to its handshake.
    private func frames(_ client: HandClient) -> [UInt8] {
        client.read()
        let head = client.received.firstRange(of: Array("\r\n\r\n".utf8))?.upperBound ?? client.received.startIndex
        return Array(client.received[head...])
    }

    /// The frame is counted once.
    @Test(
        "a frame for a path reaches all clients in few steps a turn",
        arguments: [true, false])
    func path(isForAll: Bool) throws {
        let (hand, clients) = try hand()
        let audience = isForAll ? Audience.everyone : .path("/odd")
        #expect(hand.node.workers.send(frame("a"), to: audience, on: 0, receipt: 7))
        hand.turn()
        #expect(hand.takeMessages().isEmpty && !clients.allSatisfy { frames($0).isEmpty })
        let found = answers(hand)
        guard case .delivered(_, let counted)? = found.first else {
            Issue.record("\(found)")
            return
        }
        let expected = isForAll ? Self.count : Self.count / 2
        #expect(counted.matched == expected && counted.queued == expected)
        for (number, client) in clients.enumerated() {
            #expect(frames(client) == (isForAll || number % 2 == 1 ? [0x81, 1, 0x61] : []))
        }
        end(hand)
    }

    @Test("neither a later frame nor a close overtakes a frame for many")
    func order() throws {
        let (hand, clients) = try hand()
        let connections = (0..<hand.worker.loop.slotCount).compactMap {
            hand.worker.loop.source(at: $0) as? ClientConnection
        }
        let last = try #require(connections.last { $0.request.path == "/odd" })
        let lastEven = try #require(connections.last { $0.request.path == "/even" })
        let workers = hand.node.workers
        #expect(workers.send(frame("a"), to: .everyone, on: 0, receipt: 1))
        #expect(workers.send(frame("b"), to: .path("/odd"), on: 0, receipt: 2))
        #expect(workers.send(frame("c"), to: .connection(last.id), on: 0, receipt: nil))
        let evenID = lastEven.id
        workers.tell(0) { $0.close(evenID, code: .goingAway, reason: "") }
        hand.turn()
        let all = try #require(Channel("all"))
        _ = hand.node.broker.publish(Draft(channel: all, frame: frame("d")), from: .nobody)
        let found = answers(hand, count: 2)
        let counts = found.map { if case .delivered(_, let count) = $0 { count.matched } else { -1 } }
        #expect(counts == [Self.count, Self.count / 2])
        func text(_ letter: String) -> [UInt8] { [0x81, 1] + Array(letter.utf8) }
        var closed = 0
        for (number, client) in clients.enumerated() {
            let received = frames(client)
            if number % 2 == 1 {
                let isLast = received.contains(0x63)
                #expect(received == text("a") + text("b") + (isLast ? text("c") : []) + text("d"))
            } else if received.contains(0x88) {
                closed += 1
                #expect(received == text("a") + [0x88, 2, 0x03, 0xE9])
            } else {
                #expect(received == text("a") + text("d"))
            }
        }
        #expect(closed == 1)
        end(hand)
    }

    @Test("a page of channels takes few steps in each turn and has all of them")
    func channels() throws {
        let (hand, clients) = try hand()
        let reply = Reply(ticket: 1, answers: Answers<[ChannelSummary]>())
        hand.node.workers.tell(0) { $0.list(ChannelQuery(prefix: "channel", limit: 100), reply) }
        #expect(answers(hand).count == 1)
        let page = try #require(reply.answers.sorted.first?.answer)
        #expect(page.count == Self.count && page.allSatisfy { $0.subscribers == 1 })
        #expect(clients.count == Self.count)
        end(hand)
    }

    @Test("finds the many connections of one user in few steps a turn")
    func user() throws {
        let (hand, clients) = try hand()
        var (slot, found, pages): (UInt32?, Int, Int) = (0, 0, 0)
        while let first = slot, pages < 100 {
            let query = ConnectionQuery(user: "ada", firstSlot: first, limit: 1_000)
            let reply = Reply(ticket: 1, answers: Answers<ConnectionPage>())
            hand.node.workers.tell(0) { $0.answer(reply, ConnectionPage(query, of: $0)) }
            #expect(answers(hand).count == 1)
            let page = try #require(reply.answers.sorted.first?.answer)
            (slot, found, pages) = (page.nextSlot, found + page.connections.count, pages + 1)
        }
        #expect(found == Self.count && pages >= Self.count / Self.steps)
        #expect(clients.count == Self.count)
        end(hand)
    }
}

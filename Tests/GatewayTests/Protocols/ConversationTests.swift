// Clients of a protocol beside clients of raw frames, on one worker: the same handlers, each publication encoded once, everything
// in order.

import ClientProtocols
import PerigeeTestKit
import PubSub
import Scripting
import Settings
import Testing
import WebSocket

@testable import Gateway

@Suite("Conversations of client protocols", .bounded)
struct ConversationTests {
    private static let script = """
        function onOpen(conn)
            conn:subscribe("news")
        end
        function onMessage(conn, m)
            log.info("message|" .. m .. "|" .. tostring(conn.subprotocol))
            local verb, rest = m:match("^(%a+) ?(.*)$")
            if verb == "echo" then
                conn:send(rest)
            elseif verb == "publish" then
                server.publish("news", rest)
            elseif verb == "large" then
                server.publish("news", string.rep("x", 1000000))
            elseif verb == "binary" then
                server.publish("news", rest, { binary = true })
                log.info("sent|" .. tostring(select(2, conn:sendBinary(rest))))
            elseif verb == "broadcast" then
                server.broadcast(rest)
            elseif verb == "wait" then
                server.sleep(1)
                log.info("woke|" .. rest)
            elseif verb == "close" then
                conn:close(4001, rest)
            end
        end
        function onClose(conn, code, reason) log.info("close|" .. code .. "|" .. reason) end
        """

    private let count = HeaderProtocol.Count()
    private let hand: HandWorker

    init() throws {
        hand = try HandWorker(
            ScriptBundle(version: 1, scripts: ["main": Self.script]), protocols: HeaderProtocol.table(count)
        ) {
            $0.websocket.subprotocols = ["plain"]
            var news = ChannelOptions()
            news.slow = .conflate
            news.history.size = 10
            $0.channels = ChannelRules([.init(ChannelPattern("news")!, news)])
        }
    }

    private func client(_ offer: String? = nil) -> HandClient {
        let client = HandClient(to: hand, ip: 0x0A00_0001, target: "/", subprotocols: offer)
        client.kept = 1 << 24
        for _ in 0..<3 { hand.turn() }
        return client
    }

    private func headerClient() -> HandClient { client(HeaderProtocol.subprotocol) }

    private func turn(_ slice: HandWorker.Slice = .whole) -> [String] {
        for _ in 0..<5 { hand.turn(slice) }
        return hand.takeLines()
    }

    private func end(_ clients: HandClient...) {
        for client in clients { client.close() }
        hand.worker.stop()
        for _ in 0..<20 { hand.turn() }
        hand.end()
    }

    /// The messages that a client was sent after the answer to its handshake; a Close frame as its code and reason.
    private func messages(_ client: HandClient) -> [String] {
        client.read()
        guard let head = client.received.firstRange(of: Array("\r\n\r\n".utf8)) else { return [] }
        var rest = client.received[head.upperBound...]
        var messages: [String] = []
        while rest.count >= 2 {
            let first = rest.removeFirst()
            var length = Int(rest.removeFirst())
            let digits = length == 126 ? 2 : length == 127 ? 8 : 0
            if digits > 0 { length = rest.prefix(digits).reduce(0) { $0 << 8 | Int($1) } }
            rest = rest.dropFirst(digits)
            let payload = Array(rest.prefix(length))
            rest = rest.dropFirst(length)
            if first == 0x88 {
                let text = String(decoding: payload.dropFirst(2), as: UTF8.self)
                messages.append("close \(Int(payload[0]) << 8 | Int(payload[1])) \(text)")
            } else {
                messages.append(String(decoding: payload, as: UTF8.self))
            }
        }
        return messages
    }

    /// Requests in the protocol, all in one message.
    private func message(_ requests: String...) -> [UInt8] {
        ClientFrame.text(requests.map { "#\($0.utf8.count)\n\($0)" }.joined()).bytes
    }

    @Test("the first offered subprotocol of the table chooses its protocol")
    func choice() {
        let offers = ["other, plain, \(HeaderProtocol.subprotocol)", "plain", "other", nil]
        let clients = offers.map(client)
        clients[0].send(message("echo a"))
        for client in clients.dropFirst() { client.send(ClientFrame.text("echo a").bytes) }
        #expect(
            turn() == [
                "message|echo a|\(HeaderProtocol.subprotocol)", "message|echo a|plain", "message|echo a|nil",
                "message|echo a|nil",
            ])
        #expect(clients.map(messages) == [["-\na"], ["a"], ["a"], ["a"]])
        let answer = String(decoding: clients[0].received, as: UTF8.self)
        #expect(answer.contains("Sec-WebSocket-Protocol: \(HeaderProtocol.subprotocol)\r\n"))
        withExtendedLifetime(clients) { end() }
    }

    @Test("each request of a message reaches onMessage, as a raw message does")
    func requests() {
        let (header, raw) = (headerClient(), client())
        header.send(message("echo one", "echo two", "echo") + message("echo three"))
        raw.send(ClientFrame.text("echo four").bytes)
        let name = HeaderProtocol.subprotocol
        #expect(
            turn() == [
                "message|echo one|\(name)", "message|echo two|\(name)", "message|echo|\(name)",
                "message|echo three|\(name)", "message|echo four|nil",
            ])
        #expect(messages(header) == ["-\none", "-\ntwo", "-\n", "-\nthree"])
        #expect(messages(raw) == ["four"])
        end(header, raw)
    }

    @Test("a message to many is encoded once for all clients of the protocol")
    func once() {
        let headers = (0..<5).map { _ in headerClient() }
        let raws = (0..<3).map { _ in client() }
        headers[0].send(message("publish b"))
        #expect(turn().count == 1)
        #expect(count.value == 1)
        raws[0].send(ClientFrame.text("publish a").bytes)
        #expect(turn().count == 1)
        #expect(count.value == 2)
        raws[1].send(ClientFrame.text("broadcast c").bytes)
        #expect(turn().count == 1)
        #expect(count.value == 3)
        let frame = Frame.text("d")
        #expect(hand.node.workers.send(frame, to: .everyone, on: 0, receipt: nil))
        #expect(turn().isEmpty)
        #expect(count.value == 4)
        for client in headers {
            #expect(messages(client) == ["1 news\nb", "2 news\na", "-\nc", "-\nd"])
        }
        for client in raws { #expect(messages(client) == ["b", "a", "c", "d"]) }
        withExtendedLifetime((headers, raws)) { end() }
    }

    @Test("a message that a form cannot carry is dropped for its clients alone")
    func unsupported() {
        let (first, second, raw) = (headerClient(), headerClient(), client())
        first.send(message("binary x"))
        #expect(turn() == ["message|binary x|\(HeaderProtocol.subprotocol)", "sent|unsupported"])
        #expect(messages(first).isEmpty && messages(second).isEmpty)
        #expect(messages(raw) == ["x"])
        #expect(hand.worker.statistics.deliveriesDropped == 2)
        // Once for the publication, and once for conn:sendBinary.
        #expect(count.value == 2)
        end(first, second, raw)
    }

    @Test("a slow client's waiting publications are in its form")
    func slow() {
        let (header, raw) = (headerClient(), client())
        header.isSlow = true
        for request in ["large", "large", "publish old", "publish new"] {
            raw.send(ClientFrame.text(request).bytes)
            #expect(turn().count == 1)
        }
        header.isSlow = false
        var found: [String] = []
        for _ in 0..<200 where found.last != "4 news\nnew" {
            found = messages(header)
            hand.turn()
        }
        #expect(found.map { String($0.prefix(12)) } == ["1 news\nxxxxx", "4 news\nnew"])
        #expect(count.value == 4)
        end(header, raw)
    }

    @Test("while a handler waits, the rest of its message waits before later ones")
    func waiting() {
        let client = headerClient()
        client.send(message("wait one", "two", "wait three", "four") + message("five") + message("six", "seven"))
        let name = HeaderProtocol.subprotocol
        #expect(turn() == ["message|wait one|\(name)"])
        hand.clock.now += 1_000
        #expect(turn() == ["woke|one", "message|two|\(name)", "message|wait three|\(name)"])
        hand.clock.now += 1_000
        #expect(turn() == ["woke|three"] + ["four", "five", "six", "seven"].map { "message|\($0)|\(name)" })
        end(client)
    }

    @Test("requests of a message keep their order when a slice ends between them", arguments: HandWorker.Slice.allCases)
    func slices(_ slice: HandWorker.Slice) {
        let client = headerClient()
        let words = (1...12).map { "word \($0)" }
        client.send(message(words[0], words[1], words[2]) + message(words[3]) + message(words[4], words[5]))
        var lines = turn(slice)
        client.send(message(words[6], "wait \(words[7])", words[8]) + message(words[9], words[10], words[11]))
        for _ in 0..<20 { lines += turn(slice) }
        hand.clock.now += 1_000
        for _ in 0..<20 { lines += turn(slice) }
        let name = HeaderProtocol.subprotocol
        let expected = words.enumerated().flatMap { number, word in
            number == 7 ? ["message|wait \(word)|\(name)", "woke|\(word)"] : ["message|\(word)|\(name)"]
        }
        #expect(lines == expected)
        end(client)
    }

    @Test("a slice that is used up ends a message's requests until the next turn")
    func yields() {
        let client = headerClient()
        client.send(message("one", "two", "three"))
        var lines: [String] = []
        for _ in 0..<10 {
            hand.turn(.oneEvent)
            let found = hand.takeLines()
            // One that was read, and one of the rotation.
            #expect(found.count <= 2)
            lines += found
        }
        #expect(lines == ["one", "two", "three"].map { "message|\($0)|\(HeaderProtocol.subprotocol)" })
        end(client)
    }

    @Test("a script's close ends the message and both ends see its code")
    func closes() {
        let client = headerClient()
        client.send(message("one", "close bye", "two") + message("three"))
        #expect(
            turn() == [
                "message|one|\(HeaderProtocol.subprotocol)", "message|close bye|\(HeaderProtocol.subprotocol)",
                "close|4001|bye",
            ])
        #expect(messages(client) == ["close 4001 asked: bye"])
        end(client)
    }

    /// onClose sees the raw one.
    @Test("a breach closes with the protocol's code")
    func breach() {
        let client = headerClient()
        client.send(ClientFrame.text("#3\none#4\ntwo").bytes + message("three"))
        let reason = CloseReason.internalError
        #expect(
            turn() == ["message|one|\(HeaderProtocol.subprotocol)", "close|\(reason.code.rawValue)|\(reason.text)"])
        #expect(messages(client) == ["close \(3_500 + Int(reason.rawValue)) header: \(reason.text)"])
        #expect(hand.worker.statistics.closes[Int(reason.rawValue)] == 1)
        end(client)
    }

    @Test("a frame that breaks RFC 6455 closes with the protocol's code")
    func brokenFrame() {
        let client = headerClient()
        client.send([0xFF, 0xFF])
        let reason = CloseReason.reservedBits
        #expect(turn() == ["close|\(reason.code.rawValue)|\(reason.text)"])
        #expect(messages(client) == ["close \(3_500 + Int(reason.rawValue)) header: \(reason.text)"])
        end(client)
    }

    @Test("events behind a handler that waits run when the client hangs up")
    func hangsUp() {
        let client = headerClient()
        client.send(message("wait one", "two") + message("three"))
        let name = HeaderProtocol.subprotocol
        #expect(turn() == ["message|wait one|\(name)"])
        client.close()
        #expect(turn().suffix(3) == ["message|two|\(name)", "message|three|\(name)", "close|1006|"])
        end()
    }
}

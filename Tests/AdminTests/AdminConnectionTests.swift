// A pipelined connection beside its model: requests of every kind in random pieces, answers in random order, and every end.
// Outstanding requests have a bound.

import Glibc
import HTTP1
import SeededGenerator
import Testing

@testable import Admin

@Suite("Admin: the pipelined connection", .bounded)
struct AdminConnectionTests {
    private struct Request {
        let id: String
        let text: [UInt8]
        let body: [UInt8]
        var isHEAD = false
    }

    static func post(_ id: Int, _ path: String = "/push", body: String = "") -> String {
        "POST \(path) HTTP/1.1\r\nHost: h\r\nX-Request-Id: \(id)\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
    }

    // MARK: The model

    private static func request(_ number: Int, isLast: Bool, _ random: inout SeededGenerator) -> Request {
        let path = ["/push", "/push", "/push", "/push", "/lone", "/alone", "/now", "/refused", "/stream", "/stream"]
            .randomElement(using: &random)!
        let size =
            random.oneIn(20) ? Int.random(in: 0..<400_000, using: &random) : Int.random(in: 0..<40, using: &random)
        let body = [UInt8](repeating: UInt8(ascii: "a") + UInt8(number % 26), count: size)
        let isHEAD = path == "/alone" && random.oneIn(3)
        var head = "\(isHEAD ? "HEAD" : "POST") \(path) HTTP/1.1\r\nHost: h\r\nX-Request-Id: \(number)\r\n"
        if isLast { head += "Connection: close\r\n" }
        if isHEAD { return Request(id: "\(number)", text: Array((head + "\r\n").utf8), body: [], isHEAD: true) }
        if path != "/refused", random.oneIn(8) { head += "Expect: 100-continue\r\n" }
        if random.oneIn(4), size > 0 {
            let chunk = "\(String(size, radix: 16))\r\n"
            head += "Transfer-Encoding: chunked\r\n\r\n\(chunk)"
            return Request(id: "\(number)", text: Array(head.utf8) + body + Array("\r\n0\r\n\r\n".utf8), body: body)
        }
        return Request(
            id: "\(number)", text: Array((head + "Content-Length: \(size)\r\n\r\n").utf8) + body, body: body)
    }

    private enum End: CaseIterable { case close, halfClose, nonsense, hangUp }

    @Test("every request begins and is answered once and in order", arguments: 1...200)
    func model(seed: Int) throws {
        var random = SeededGenerator(seed: UInt64(seed))
        let hand = HandAdmin()
        let peer = hand.connect()
        let end = End.allCases.randomElement(using: &random)!
        let count = Int.random(in: 1...150, using: &random)
        let requests = (0..<count).map { number in
            Self.request(number, isLast: end == .close && number == count - 1, &random)
        }
        var input = ArraySlice(requests.flatMap(\.text))
        if end == .nonsense { input += Array("no request\r\n\r\n".utf8) }
        var answered = 0
        var sawLast = false
        var isShut = false
        let turns = Int.random(in: 1...40, using: &random)
        for step in 0..<200_000 {
            if end == .hangUp, step == turns {
                peer.close()
                break
            }
            if random.oneIn(2) {
                let size = random.oneIn(3) ? 1 << 16 : Int.random(in: 1...200, using: &random)
                input = input.dropFirst(peer.send(input.prefix(size)))
            }
            if end == .halfClose, input.isEmpty, !isShut {
                isShut = true
                peer.closeWriting()
            }
            if random.oneIn(3) { hand.turn() }
            for _ in 0..<Int.random(in: 0...4, using: &random) {
                if let call = hand.waiting.randomElement(using: &random) { hand.answer(call) }
            }
            if random.oneIn(2) { for reader in hand.full { reader.goOn() } }
            peer.read()
            while let answer = peer.next(omitsBody: { Int($0).map { requests[$0].isHEAD } ?? false }) {
                if answer.status == 100 { continue }
                #expect(!sawLast, "seed \(seed): an answer behind the last one")
                sawLast = answer.isLast
                guard answered < count else {
                    #expect(end == .nonsense && answer.status == 400 && answer.isLast)
                    answered += 1
                    continue
                }
                let request = requests[answered]
                try #require(answer.id == request.id, "seed \(seed)")
                #expect(answer.status == 401 || answer.body == request.body)
                answered += 1
            }
            try #require(hand.failure == nil, "seed \(seed): \(hand.failure ?? "")")
            if end == .hangUp ? false : peer.hasEnded { break }
        }
        #expect(zip(hand.begun, requests).allSatisfy { $0.requestID == $1.id })
        // The body of a request that is refused is not kept.
        // One that streams may have begun when its peer hangs up.
        #expect(
            zip(hand.begun, requests).allSatisfy { call, request in
                let isCut = end == .hangUp && call.streams && request.body.starts(with: call.body)
                return call.refusal != nil || isCut || call.body == request.body
            })
        if end == .hangUp {
            hand.turn(3)
            for call in hand.waiting.shuffled(using: &random) { hand.answer(call) }
        } else {
            #expect(hand.begun.count == count && answered == count + (end == .nonsense ? 1 : 0), "seed \(seed)")
            #expect(peer.rest == 0 && peer.hasEnded)
            peer.close()
        }
        hand.turn(5)
        #expect(hand.connection == nil, "seed \(seed): the connection is kept")
        #expect(hand.timedOut == 0)
        #expect(hand.readers.allSatisfy { $0.ends == 1 && !$0.isPressed }, "seed \(seed)")
        #expect(end == .hangUp || hand.readers.allSatisfy { $0.failure == nil }, "seed \(seed)")
    }

    // MARK: Bounds

    /// The rest waits and is not refused.
    @Test("at most 64 pushes are outstanding")
    func requestBound() throws {
        let hand = HandAdmin()
        let peer = hand.connect()
        peer.send((0..<200).map { Self.post($0) }.joined())
        hand.turn(5)
        #expect(hand.begun.count == RequestPipeline.maxRequests)
        // An answer that cannot leave yet makes no room.
        hand.answer(hand.begun[1])
        hand.turn(3)
        #expect(hand.begun.count == RequestPipeline.maxRequests)
        hand.answer(hand.begun[0])
        hand.turn(3)
        #expect(hand.begun.count == RequestPipeline.maxRequests + 2)
        for _ in 0..<10 {
            for call in hand.open { hand.answer(call) }
            hand.turn(2)
        }
        peer.read()
        for number in 0..<200 { #expect(try #require(peer.next()).id == "\(number)") }
        #expect(hand.begun.count == 200 && hand.failure == nil)
    }

    @Test("a megabyte of outstanding requests stops the reading and so the sender")
    func byteBound() throws {
        let hand = HandAdmin()
        let peer = hand.connect()
        let body = String(repeating: "x", count: 300_000)
        var input = ArraySlice((0..<40).flatMap { Array(Self.post($0, body: body).utf8) })
        func pump(turns: Int) {
            for _ in 0..<turns {
                input = input.dropFirst(peer.send(input.prefix(1 << 16)))
                hand.turn()
            }
        }
        let whole = input.count
        pump(turns: 100)
        #expect(hand.begun.count == 4)
        // Four requests, two receive buffers, and the kernel's buffers.
        #expect(whole - input.count < 4 << 20)
        var answered = 0
        while answered < 40, let call = hand.open.first {
            hand.answer(call)
            answered += 1
            var answer: HandPeer.Answer?
            for _ in 0..<100 where answer == nil {
                pump(turns: 2)
                peer.read()
                answer = peer.next()
            }
            #expect(try #require(answer).body.count == body.utf8.count)
            pump(turns: 20)
            #expect(hand.open.count <= 4)
        }
        #expect(answered == 40)
    }

    @Test("no request begins while a megabyte of answers waits for a slow reader")
    func outputBound() throws {
        let hand = HandAdmin()
        let peer = hand.connect()
        let body = String(repeating: "x", count: 500_000)
        var input = ArraySlice((0..<12).flatMap { Array(Self.post($0, "/now", body: body).utf8) })
        for _ in 0..<300 {
            input = input.dropFirst(peer.send(input.prefix(1 << 16)))
            hand.turn()
        }
        #expect(hand.begun.count < 8)
        var answers: [HandPeer.Answer] = []
        for _ in 0..<1_000 where answers.count < 12 {
            input = input.dropFirst(peer.send(input.prefix(1 << 16)))
            hand.turn()
            peer.read()
            while let answer = peer.next() { answers.append(answer) }
        }
        #expect(answers.map(\.id) == (0..<12).map { "\($0)" })
    }

    // MARK: Time and order

    @Test("a request's time runs from its first byte, not while answers are awaited")
    func deadlines() throws {
        let hand = HandAdmin()
        let peer = hand.connect()
        peer.send(Self.post(0))
        hand.turn()
        hand.clock.now += 60_000
        hand.turn(3)
        #expect(hand.timedOut == 0 && hand.open.count == 1)
        peer.send("POST /push HTTP/1.1\r\nHost: h\r\n")
        hand.turn()
        hand.clock.now += 6_000
        hand.turn(3)
        #expect(hand.timedOut == 1)
        peer.read()
        #expect(peer.rest == 0)
        hand.answer(hand.begun[0])
        hand.turn(3)
        peer.read()
        #expect(try #require(peer.next()).status == 200)
        let late = try #require(peer.next())
        #expect(late.status == 408 && late.isLast && peer.hasEnded)
    }

    @Test("a slow reader gets its last answer whole, however long it takes", arguments: [true, false])
    func slowReaderOfTheLast(closes: Bool) throws {
        let hand = HandAdmin()
        let peer = hand.connect()
        let field = closes ? "Connection: close\r\n" : ""
        peer.send("POST /push HTTP/1.1\r\nHost: h\r\nX-Request-Id: 0\r\n\(field)Content-Length: 0\r\n\r\n")
        if !closes { peer.closeWriting() }
        hand.turn(2)
        let body = [UInt8](repeating: UInt8(ascii: "x"), count: 4 << 20)
        try #require(hand.open.first).answer(Response(status: 200, fields: [], body: body))
        hand.turn()
        let start = hand.clock.now
        for _ in 0..<200 where !peer.hasEnded {
            // No longer than a peer may take nothing, and much longer in all than any other limit.
            hand.clock.now += 4_000
            hand.turn()
            peer.read()
        }
        #expect(hand.clock.now - start > 2 * hand.requestTimeout)
        #expect(try #require(peer.next()).body.count == body.count)
        #expect(peer.hasEnded && hand.timedOut == 0)
    }

    @Test("a request behind a large answer outlasts a slow reader's idle time")
    func slowReader() throws {
        let hand = HandAdmin()
        let peer = hand.connect()
        peer.send(Self.post(0, "/lone") + Self.post(1))
        hand.turn(2)
        #expect(hand.begun.count == 1)
        let body = [UInt8](repeating: UInt8(ascii: "x"), count: 4 << 20)
        try #require(hand.open.first).answer(Response(status: 200, fields: [], body: body))
        hand.turn()
        let start = hand.clock.now
        var answers: [HandPeer.Answer] = []
        for round in 0..<200 where answers.count < 2 && !peer.hasEnded {
            hand.clock.now += 4_000
            hand.turn()
            peer.read()
            if round == 3 { #expect(hand.begun.count == 1, "more than a megabyte waits for longer than the idle time") }
            for call in hand.open { hand.answer(call) }
            while let answer = peer.next() { answers.append(answer) }
        }
        #expect(hand.clock.now - start > hand.requestTimeout)
        #expect(answers.map(\.status) == [200, 200] && answers.map(\.id) == ["0", "1"])
        #expect(answers.first?.body.count == body.count && hand.timedOut == 0 && !peer.hasEnded)
    }

    @Test("100 Continue comes behind the answers to earlier requests")
    func expectation() throws {
        let hand = HandAdmin()
        let peer = hand.connect()
        peer.send(Self.post(0))
        peer.send(
            "POST /push HTTP/1.1\r\nHost: h\r\nX-Request-Id: 1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
        hand.turn(3)
        hand.clock.now += 60_000
        hand.turn(3)
        peer.read()
        #expect(peer.rest == 0)
        hand.answer(hand.begun[0])
        hand.turn(2)
        peer.read()
        #expect(try #require(peer.next()).status == 200)
        #expect(try #require(peer.next()).status == 100)
        peer.send("ab")
        hand.turn()
        #expect(hand.begun.last?.body == Array("ab".utf8) && hand.timedOut == 0)
    }

    @Test("the answers of one turn leave in one write, in the order of the requests")
    func oneWrite() throws {
        let hand = HandAdmin()
        let peer = hand.connect()
        peer.send((0..<16).map { Self.post($0) }.joined())
        hand.turn(2)
        for call in hand.open.reversed() { hand.answer(call) }
        peer.read()
        #expect(peer.rest == 0)
        hand.turn()
        peer.read()
        for number in 0..<16 { #expect(try #require(peer.next()).id == "\(number)") }
    }

    @Test("in a drain, outstanding requests are answered and the connection ends")
    func draining() throws {
        let hand = HandAdmin()
        let peer = hand.connect()
        peer.send((0..<3).map { Self.post($0) }.joined())
        hand.turn(2)
        hand.isDraining = true
        hand.answer(hand.begun[0])
        hand.turn(2)
        peer.read()
        #expect(try #require(peer.next()).isLast == false)
        hand.answer(hand.begun[2])
        hand.answer(hand.begun[1])
        hand.turn(2)
        peer.read()
        #expect(try #require(peer.next()).isLast == false)
        #expect(try #require(peer.next()).isLast == true)
        #expect(peer.hasEnded)
    }
}

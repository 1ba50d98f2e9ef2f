// Messages that wait for a slow client one by one: the messages that each policy keeps, their order and their bounds.

import PubSub
import SeededGenerator
import Testing
import WebSocket

@testable import Gateway

@Suite("Backlog", .bounded)
struct BacklogTests {
    private let backlog = Backlog()

    private func publication(_ text: String, channel: String = "c", key: String? = nil) -> Publication {
        Publication(
            channel: Channel(channel)!, frame: .text(text), exclude: nil, position: StreamPosition(offset: 1, epoch: 1),
            key: key)
    }

    private func append(_ publication: Publication, _ policy: SlowConsumerPolicy, limit: Int) -> Int? {
        backlog.append(publication.frame, of: publication, policy, limit: limit)
    }

    private func taken() -> [String] {
        var texts: [String] = []
        while let frame = backlog.popFirst() { texts.append(String(decoding: frame.payload, as: UTF8.self)) }
        return texts
    }

    /// The cost of `count` messages of one letter.
    private func cost(_ count: Int) -> Int { count * (Backlog.entryOverhead + 3) }

    @Test("messages leave in the order of their arrival under every policy")
    func order() {
        backlog.append(.text("1"))
        for (number, policy) in SlowConsumerPolicy.allCases.enumerated() {
            #expect(append(publication("\(number + 2)"), policy, limit: .max) == 0)
        }
        backlog.append(.text("6"))
        #expect(taken() == ["1", "2", "3", "4", "5", "6"])
        #expect(backlog.isEmpty && backlog.cost == 0 && backlog.byteCount == 0)
    }

    @Test("conflate: two keys that Unicode calls equivalent are two keys")
    func equivalentKeys() {
        for (text, key) in [("composed", "\u{E9}"), ("decomposed", "e\u{301}"), ("new", "\u{E9}")] {
            #expect(append(publication(text, key: key), .conflate, limit: .max) == (text == "new" ? 1 : 0))
        }
        #expect(taken() == ["new", "decomposed"])
    }

    @Test("drop_newest refuses a message that does not fit and drops no other")
    func dropNewest() {
        for text in ["a", "b"] { #expect(append(publication(text), .dropNewest, limit: cost(2)) == 0) }
        #expect(append(publication("c"), .dropNewest, limit: cost(2)) == nil)
        #expect(taken() == ["a", "b"])
    }

    /// Messages of another policy stay.
    @Test("drop_oldest drops as many of the oldest as the new one needs")
    func dropOldest() {
        backlog.append(.text("x"))
        for text in ["a", "b", "c"] { #expect(append(publication(text), .dropOldest, limit: cost(4)) == 0) }
        #expect(append(publication("d"), .dropOldest, limit: cost(4)) == 1)
        let long = String(repeating: "e", count: 1 + Backlog.entryOverhead)
        #expect(append(publication(long), .dropOldest, limit: cost(4)) == 2)
        #expect(taken() == ["x", "d", long])
    }

    /// Then it drops none of them.
    @Test("drop_oldest refuses a message that dropping all would not fit")
    func dropOldestWithoutRoom() {
        #expect(append(publication("a"), .dropOldest, limit: cost(2)) == 0)
        #expect(append(publication(String(repeating: "e", count: 200)), .dropOldest, limit: cost(2)) == nil)
        #expect(taken() == ["a"])
    }

    @Test("conflate keeps the newest of each channel and key in the first's place")
    func conflate() {
        #expect(append(publication("1", key: "eur"), .conflate, limit: .max) == 0)
        #expect(append(publication("2", key: "usd"), .conflate, limit: .max) == 0)
        #expect(append(publication("3"), .conflate, limit: .max) == 0)
        #expect(append(publication("4", channel: "d"), .conflate, limit: .max) == 0)
        #expect(append(publication("5", key: "eur"), .conflate, limit: .max) == 1)
        #expect(append(publication("6"), .conflate, limit: .max) == 1)
        #expect(taken() == ["5", "2", "6", "4"])
    }

    @Test("conflate replaces no message that has been sent")
    func conflateAfterSending() {
        #expect(append(publication("1"), .conflate, limit: .max) == 0)
        #expect(taken() == ["1"])
        #expect(append(publication("2"), .conflate, limit: .max) == 0)
        #expect(taken() == ["2"])
    }

    @Test("dropping 100,000 publications leaves no trace behind a kept message")
    func noTrace() {
        backlog.append(.text("x"))
        for _ in 0..<100_000 { _ = append(publication("a"), .dropOldest, limit: cost(3)) }
        #expect(backlog.entryCount <= 8)
        #expect(taken() == ["x", "a", "a"])
    }

    /// It never costs more than the limit.
    @Test(
        "agrees with a plain list under random use within its limit",
        arguments: 1...20 as ClosedRange<UInt64>)
    func random(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var model: [(text: String, policy: SlowConsumerPolicy?, topic: String?)] = []
        let limit = cost(12)
        func modelCost() -> Int { model.reduce(0) { $0 + $1.text.utf8.count + 2 + Backlog.entryOverhead } }
        for number in 0..<3_000 {
            if Int.random(in: 0..<4, using: &random) == 0 {
                let frame = backlog.popFirst()
                #expect(frame.map { String(decoding: $0.payload, as: UTF8.self) } == model.first?.text)
                if !model.isEmpty { model.removeFirst() }
                continue
            }
            let text = String(repeating: "\(number % 10)", count: Int.random(in: 1...100, using: &random))
            let room = { modelCost() + text.utf8.count + 2 + Backlog.entryOverhead <= limit }
            let key = "\(Int.random(in: 0..<4, using: &random))"
            let policy = [SlowConsumerPolicy.dropOldest, .dropNewest, .conflate].randomElement(using: &random)!
            let result = append(publication(text, key: key), policy, limit: limit)
            switch policy {
            case .conflate:
                if let place = model.firstIndex(where: { $0.topic == key }) {
                    let fits = modelCost() - model[place].text.utf8.count + text.utf8.count <= limit
                    #expect(result == (fits ? 1 : nil))
                    if fits { model[place].text = text }
                } else {
                    #expect(result == (room() ? 0 : nil))
                    if room() { model.append((text, policy, key)) }
                }
            case .dropOldest:
                let before = model
                var displaced = 0
                while !room(), let place = model.firstIndex(where: { $0.policy == .dropOldest }) {
                    model.remove(at: place)
                    displaced += 1
                }
                if room() { model.append((text, policy, nil)) } else { model = before }
                #expect(
                    result
                        == (model.last?.text == text && model.count == before.count - displaced + 1 ? displaced : nil))
            case .dropNewest, .close:
                #expect(result == (room() ? 0 : nil))
                if room() { model.append((text, policy, nil)) }
            }
            #expect(backlog.cost == modelCost())
            #expect(backlog.cost <= limit)
        }
        #expect(taken() == model.map(\.text))
    }
}

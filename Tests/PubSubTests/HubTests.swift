// Subscriptions, deliveries and lists of channels.

import PubSub
import SeededGenerator
import Testing
import WebSocket

@Suite("Hub", .bounded)
struct HubTests {
    private final class Interest { var changes: [String] = [] }

    private let interest = Interest()
    private let hub: Hub

    init() {
        hub = Hub { [interest] channel, wanted in interest.changes.append("\(wanted ? "+" : "-")\(channel)") }
    }

    private func channel(_ name: String) -> Channel { Channel(name)! }

    private func publication(_ name: String, exclude: SubscriberID? = nil) -> Publication {
        Publication(
            channel: channel(name), frame: .text("x"), exclude: exclude, position: StreamPosition(offset: 1, epoch: 1))
    }

    @Test("subscribes and unsubscribes only once")
    func joinAndLeave() {
        let subscriber = RecordingSubscriber(1)
        #expect(hub.subscribe(subscriber, to: channel("a")))
        #expect(!hub.subscribe(subscriber, to: channel("a")))
        #expect(hub.isSubscribed(subscriber, to: channel("a")))
        #expect(hub.count(channel("a")) == 1)
        #expect(hub.unsubscribe(subscriber, from: channel("a")))
        #expect(!hub.unsubscribe(subscriber, from: channel("a")))
        #expect(!hub.unsubscribe(subscriber, from: channel("never")))
        #expect(hub.count(channel("a")) == 0)
        #expect(hub.channelCount == 0)
        #expect(hub.subscriptionCount == 0)
    }

    @Test("a hub that is gone keeps no subscriber")
    func end() {
        weak var left: RecordingSubscriber?
        do {
            let subscriber = RecordingSubscriber(1)
            let hub = Hub { _, _ in }
            hub.subscribe(subscriber, to: channel("a"))
            left = subscriber
        }
        #expect(left == nil)
    }

    @Test("reports the first subscriber of a channel and the loss of the last")
    func interestChanges() {
        let (first, second) = (RecordingSubscriber(1), RecordingSubscriber(2))
        hub.subscribe(first, to: channel("a"))
        hub.subscribe(second, to: channel("a"))
        #expect(interest.changes == ["+a"])
        hub.unsubscribe(first, from: channel("a"))
        #expect(interest.changes == ["+a"])
        hub.unsubscribeFromAll(second)
        #expect(interest.changes == ["+a", "-a"])
        hub.subscribe(first, to: channel("a"))
        #expect(interest.changes == ["+a", "-a", "+a"])
    }

    @Test("delivers to the channel's subscribers only and counts the outcomes")
    func deliver() {
        let subscribers = (0..<5).map { RecordingSubscriber($0) }
        for subscriber in subscribers.dropLast() { hub.subscribe(subscriber, to: channel("a")) }
        hub.subscribe(subscribers[4], to: channel("b"))
        subscribers[1].answer = .dropped
        let count = hub.deliver(publication("a"))
        #expect(count.matched == 4)
        #expect(count.queued == 3)
        #expect(count.dropped == 1)
        #expect(subscribers.map(\.received.count) == [1, 1, 1, 1, 0])
        #expect(hub.deliver(publication("nobody")) == DeliveryCount())
    }

    @Test("hands every subscriber the same frame in memory")
    func sharesFrame() {
        let subscribers = (0..<3).map { RecordingSubscriber($0) }
        for subscriber in subscribers { hub.subscribe(subscriber, to: channel("a")) }
        let publication = publication("a")
        _ = hub.deliver(publication)
        #expect(subscribers.allSatisfy { $0.received[0].frame === publication.frame })
    }

    @Test("skips the excluded subscriber, but not its number on another worker")
    func exclude() {
        let (author, reader) = (RecordingSubscriber(1), RecordingSubscriber(2))
        hub.subscribe(author, to: channel("a"))
        hub.subscribe(reader, to: channel("a"))
        #expect(hub.deliver(publication("a", exclude: author.subscriberID)).matched == 1)
        #expect(author.received.isEmpty)
        #expect(reader.received.count == 1)
        let stranger = SubscriberID(worker: 7, number: author.subscriberID.number)
        #expect(hub.deliver(publication("a", exclude: stranger)).matched == 2)
    }

    @Test("unsubscribes from all channels, at any place in their lists")
    func leaveAll() {
        let subscribers = (0..<3).map { RecordingSubscriber($0) }
        for name in ["a", "b", "c"] {
            for subscriber in subscribers { hub.subscribe(subscriber, to: channel(name)) }
        }
        hub.unsubscribeFromAll(subscribers[0])
        hub.unsubscribeFromAll(subscribers[0])
        #expect(subscribers[0].memberships.isEmpty)
        #expect(hub.subscriptionCount == 6)
        for name in ["a", "b", "c"] { #expect(hub.deliver(publication(name)).matched == 2) }
        #expect(subscribers.map(\.received.count) == [0, 3, 3])
    }

    @Test("adds delivery counts")
    func counts() {
        var sum = DeliveryCount()
        var part = DeliveryCount()
        part.note(.queued)
        part.note(.dropped)
        sum += part
        sum += part
        #expect((sum.matched, sum.queued, sum.dropped) == (4, 2, 2))
    }

    // MARK: Lists of channels

    private func open(_ names: [String]) {
        for (index, name) in names.enumerated() {
            hub.subscribe(RecordingSubscriber(UInt64(index)), to: channel(name))
        }
    }

    @Test("lists channels by prefix, start and limit, in byte order")
    func page() {
        open(["b", "a", "ab", "abc", "Z", "é", "z", "a b"])
        func names(_ prefix: String, _ after: String?, _ limit: Int) -> [String] {
            hub.page(prefix: prefix, after: after.flatMap { Channel($0) }, limit: limit).map(\.channel.name)
        }
        #expect(names("", nil, 100) == ["Z", "a", "a b", "ab", "abc", "b", "z", "é"])
        #expect(names("", nil, 3) == ["Z", "a", "a b"])
        #expect(names("", "a b", 3) == ["ab", "abc", "b"])
        #expect(names("a", nil, 100) == ["a", "a b", "ab", "abc"])
        #expect(names("a", "aa", 100) == ["ab", "abc"])
        #expect(names("a", "b", 100) == [])
        #expect(names("", "not a channel", 1) == ["z"])
        #expect(names("x", nil, 100) == [])
    }

    @Test("compares prefixes and names by bytes in a list of channels")
    func pageOfBytes() throws {
        open(["cafe\u{301}", "caf\u{E9}"])
        #expect(
            hub.page(prefix: "cafe", after: nil, limit: 9).map { Array($0.channel.name.utf8) } == [
                Array("cafe\u{301}".utf8)
            ])
        #expect(hub.page(prefix: "", after: nil, limit: 9).count == 2)
        let first = try #require(hub.page(prefix: "", after: nil, limit: 1).first).channel
        let second = try #require(hub.page(prefix: "", after: first, limit: 1).first).channel
        #expect(Array(first.name.utf8) == Array("cafe\u{301}".utf8))
        #expect(Array(second.name.utf8) == Array("caf\u{E9}".utf8))
    }

    @Test("a page in slices has every lasting channel once", arguments: 0..<20)
    func slices(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let subscriber = RecordingSubscriber(1)
        let (staying, others) = ((0..<40).map { "s\($0)" }, (0..<40).map { "o\($0)" })
        for name in (staying + others).shuffled(using: &random) { hub.subscribe(subscriber, to: channel(name)) }
        var walk = hub.beginPage(prefix: "", after: nil, limit: 1_000)
        var slices = 0
        while !walk.isComplete {
            #expect(hub.advance(&walk, steps: 7) <= 7)
            slices += 1
            for name in others.shuffled(using: &random).prefix(5) {
                if !hub.unsubscribe(subscriber, from: channel(name)) { hub.subscribe(subscriber, to: channel(name)) }
            }
        }
        let names = walk.channels.map(\.channel.name)
        #expect(slices >= 5 && Set(names).count == names.count && names == names.sorted())
        #expect(Set(names).isSuperset(of: staying))
    }

    @Test("lists each of many channels once, page by page, with its count", arguments: [1, 7, 100, 1000])
    func pages(_ limit: Int) {
        open((0..<90).map { "channel-\($0 * 37 % 90)" })
        hub.subscribe(RecordingSubscriber(1000), to: channel("channel-3"))
        var listed: [(channel: Channel, subscribers: Int)] = []
        while true {
            let page = hub.page(prefix: "channel", after: listed.last?.channel, limit: limit)
            #expect(page.count <= limit)
            listed += page
            if page.isEmpty { break }
        }
        #expect(listed.map(\.channel.name) == (0..<90).map { "channel-\($0)" }.sorted())
        #expect(listed.allSatisfy { $0.subscribers == ($0.channel.name == "channel-3" ? 2 : 1) })
    }
}

// Who is in which channel, and who gets what.

import PubSub
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

    @Test("joining twice is joining once, and leaving twice leaving once")
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

    @Test("reports a channel's first subscriber and its last one's leaving, and nothing between")
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

    @Test("delivers to each subscriber of the channel and to nobody else, and counts what became of it")
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

    @Test("spares the excluded subscriber, who is not counted; one of another worker is a stranger")
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

    @Test("leaving all channels is complete, wherever the subscriber stood in each")
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

    @Test("a large count of deliveries is the sum of its parts")
    func counts() {
        var sum = DeliveryCount()
        var part = DeliveryCount()
        part.note(.queued)
        part.note(.dropped)
        sum += part
        sum += part
        #expect((sum.matched, sum.queued, sum.dropped) == (4, 2, 2))
    }

    // MARK: Pages

    private func open(_ names: [String]) {
        for (index, name) in names.enumerated() {
            hub.subscribe(RecordingSubscriber(UInt64(index)), to: channel(name))
        }
    }

    @Test("a page has the channels with the prefix, after the name, up to the limit, in byte order of their names")
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

    @Test("a prefix is a prefix of bytes, and names that only Unicode calls equal are both listed, each on its page")
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

    @Test("page by page, every one of many channels is listed once with its count", arguments: [1, 7, 100, 1000])
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

// The hub compared with sets: when the last subscriber of a list takes a free place, none may be lost or doubled.

import PubSub
import SeededGenerator
import Testing
import WebSocket

@Suite("Hub: random joining and leaving", .bounded)
struct HubFuzzTests {
    @Test("agrees with sets of subscribers at every step", arguments: 0..<6)
    func fuzz(_ seed: Int) {
        var run = HubRun(seed: UInt64(seed))
        for _ in 0..<2_000 { run.step() }
        run.check()
        #expect(run.mistakes.isEmpty, "\(run.mistakes.prefix(3))")
    }
}

/// A hub, and the expected set of subscribers for each channel.
private struct HubRun {
    private final class Interest { var channels: Set<String> = [] }

    private let channels = ["a", "b", "c", "d", "e"].map { Channel($0)! }
    private let subscribers = (0..<12).map { RecordingSubscriber($0) }
    private let interest = Interest()
    private let hub: Hub
    private var model: [Channel: Set<UInt64>] = [:]
    private var generator: SeededGenerator
    private(set) var mistakes: [String] = []

    init(seed: UInt64) {
        generator = SeededGenerator(seed: seed)
        hub = Hub { [interest] channel, wanted in
            if wanted { interest.channels.insert(channel.name) } else { interest.channels.remove(channel.name) }
        }
    }

    mutating func step() {
        let channel = channels.randomElement(using: &generator)!
        let subscriber = subscribers.randomElement(using: &generator)!
        let number = subscriber.subscriberID.number
        switch Int.random(in: 0...9, using: &generator) {
        case 0...3:
            let joined = hub.subscribe(subscriber, to: channel)
            expect(joined == model[channel, default: []].insert(number).inserted, "subscribe")
        case 4...6:
            let left = hub.unsubscribe(subscriber, from: channel)
            expect(left == (model[channel]?.remove(number) != nil), "unsubscribe")
        case 7:
            hub.unsubscribeFromAll(subscriber)
            for channel in channels { model[channel]?.remove(number) }
        default:
            deliver(channel, exclude: generator.oneIn(2) ? subscriber.subscriberID : nil)
        }
    }

    private mutating func deliver(_ channel: Channel, exclude: SubscriberID?) {
        for subscriber in subscribers { subscriber.received = [] }
        let position = StreamPosition(offset: 1, epoch: 1)
        let count = hub.deliver(
            Publication(channel: channel, frame: .text("x"), exclude: exclude, position: position))
        var expected = model[channel] ?? []
        if let exclude { expected.remove(exclude.number) }
        let received = subscribers.filter { $0.received.count == 1 }.map(\.subscriberID.number)
        expect(Set(received) == expected, "deliver")
        expect(subscribers.allSatisfy { $0.received.count <= 1 }, "deliver once")
        expect(count.matched == expected.count, "count")
        check()
    }

    mutating func check() {
        let populated = model.filter { !$0.value.isEmpty }
        expect(hub.channelCount == populated.count, "channels")
        expect(hub.subscriptionCount == populated.values.reduce(0) { $0 + $1.count }, "subscriptions")
        expect(interest.channels == Set(populated.keys.map(\.name)), "interest")
        for (channel, numbers) in populated {
            expect(Set(hub.subscribers(of: channel).map(\.subscriberID.number)) == numbers, "members of \(channel)")
        }
        for subscriber in subscribers {
            let number = subscriber.subscriberID.number
            let expected = populated.filter { $0.value.contains(number) }.keys.map(\.name).sorted()
            expect(subscriber.channels == expected, "memberships")
        }
    }

    private mutating func expect(_ holds: Bool, _ what: String) {
        if !holds { mistakes.append(what) }
    }
}

// Offsets, epochs and order, with one publisher and with several at once.

import Dispatch
import PubSub
import Testing
import WebSocket

@Suite("MemoryBroker", .bounded)
struct MemoryBrokerTests {
    private let receiver = RecordingReceiver()
    private let fanout: LocalFanout
    private let broker: MemoryBroker
    private let news = Channel("news")!

    init() {
        fanout = LocalFanout(receiver: receiver, rules: .keeping(10))
        broker = MemoryBroker(fanout: fanout)
    }

    private func subscribe(_ worker: UInt8, to channel: Channel) { fanout.subscribe(worker, to: channel, at: broker) }

    private func unsubscribe(_ worker: UInt8, from channel: Channel) {
        fanout.unsubscribe(worker, from: channel, at: broker)
    }

    private func publish(
        _ text: String = "x", to channel: Channel, exclude: SubscriberID? = nil,
        origin: PublishingThread = .other, receipt: UInt64? = nil
    ) -> (position: StreamPosition, workers: WorkerSet, here: Publication?)? {
        let draft = Draft(channel: channel, frame: .text(text), exclude: exclude, origin: origin, receipt: receipt)
        guard case .ordered(let position?, let workers, let here) = broker.publish(draft, from: .nobody)
        else { return nil }
        return (position, workers, here)
    }

    @Test("counts a channel's publications from 1, in one epoch")
    func offsets() throws {
        let sport = try #require(Channel("sport"))
        subscribe(0, to: news)
        subscribe(0, to: sport)
        let first = (0..<3).compactMap { _ in publish(to: news)?.position }
        let other = try #require(publish(to: sport)?.position)
        #expect(first.map(\.offset) == [1, 2, 3])
        #expect(Set(first.map(\.epoch)).count == 1)
        #expect(other.offset == 1)
        #expect(other.epoch != first[0].epoch)
    }

    @Test("goes on counting while a channel has no subscriber")
    func nobody() throws {
        subscribe(3, to: news)
        let before = try #require(publish(to: news)?.position)
        unsubscribe(3, from: news)
        #expect(fanout.channelCount == 0)
        let alone = try #require(publish(to: news, origin: .worker(0)))
        #expect(alone.position == StreamPosition(offset: 2, epoch: before.epoch))
        #expect(alone.workers.isEmpty && alone.here == nil && receiver.handed.count == 1)
    }

    @Test("gives no position without history, or to what is not to be kept")
    func withoutHistory() {
        let broker = MemoryBroker(fanout: LocalFanout(receiver: receiver))
        guard case .ordered(nil, _, nil) = broker.publish(Draft(channel: news, frame: .text("x")), from: .nobody) else {
            Issue.record("a position")
            return
        }
        let passing = Draft(channel: news, frame: .text("x"), keepsHistory: false)
        guard case .ordered(nil, _, _) = self.broker.publish(passing, from: .nobody) else {
            Issue.record("a position")
            return
        }
        #expect(publish(to: news)?.position.offset == 1)
        #expect(broker.figures == HistoryFigures() && self.broker.figures.channels == 1)
    }

    @Test("passes a publication unchanged to exactly the subscribed workers")
    func workers() throws {
        for worker in [0, 7, 255, 7] as [UInt8] { subscribe(worker, to: news) }
        subscribe(9, to: Channel("sport")!)
        let author = SubscriberID(worker: 7, number: 12)
        let outcome = try #require(publish("hello", to: news, exclude: author, origin: .worker(1), receipt: 99))
        let handed = try #require(receiver.handed.first)
        var expected = WorkerSet()
        for worker in [0, 7, 255] as [UInt8] { expected.insert(worker) }
        #expect(receiver.handed.count == 1)
        #expect(handed.workers == expected)
        #expect(outcome.workers == expected)
        #expect(handed.publication.channel == news)
        #expect(handed.publication.frame.payload.elementsEqual("hello".utf8))
        #expect(handed.publication.exclude == author)
        #expect(handed.publication.position == outcome.position)
        #expect(handed.origin == .worker(1))
        #expect(handed.receipt == 99)
        unsubscribe(255, from: news)
        #expect(publish(to: news)?.workers.contains(255) == false)
    }

    @Test("returns the publication to the origin when the node asks for it")
    func deliverHere() throws {
        subscribe(2, to: news)
        let here = try #require(publish(to: news, origin: .worker(2)))
        #expect(here.here?.position == here.position)
        #expect(publish(to: news, origin: .worker(1))?.here == nil)
        #expect(publish(to: news, origin: .admin)?.here == nil)
    }

    @Test("refuses publications for an overloaded worker without a gap in offsets")
    func overloaded() {
        subscribe(0, to: news)
        subscribe(1, to: news)
        #expect(publish(to: news)?.position.offset == 1)
        receiver.overload([1])
        #expect(publish(to: news) == nil)
        receiver.overload([2])
        #expect(publish(to: news)?.position.offset == 2)
        #expect(receiver.handed.count == 2)
    }

    @Test("ignores an unsubscribe of a worker that never subscribed")
    func foreignUnsubscribe() {
        unsubscribe(1, from: news)
        subscribe(0, to: news)
        unsubscribe(1, from: news)
        #expect(publish(to: news)?.workers.count == 1)
    }

    @Test("counts the channels of all shards")
    func channelCount() {
        for index in 0..<100 { subscribe(0, to: Channel("channel \(index)")!) }
        #expect(fanout.channelCount == 100)
        for index in 0..<100 { unsubscribe(0, from: Channel("channel \(index)")!) }
        #expect(fanout.channelCount == 0)
    }

    @Test("keeps the order of offsets and of each publisher")
    func twoPublishers() {
        let channels = [news, Channel("sport")!]
        for channel in channels { subscribe(0, to: channel) }
        DispatchQueue.concurrentPerform(iterations: 2) { publisher in
            for number in 0..<2_000 {
                for channel in channels {
                    let draft = Draft(
                        channel: channel, frame: .text("\(number)"), origin: .worker(UInt8(publisher)))
                    _ = broker.publish(draft, from: .nobody)
                }
            }
        }
        for channel in channels {
            let handed = receiver.handed.filter { $0.publication.channel == channel }
            #expect(handed.map(\.publication.position?.offset) == Array(1...4_000))
            for publisher in 0..<2 as Range<UInt8> {
                let texts = handed.filter { $0.origin == .worker(publisher) }
                    .map { String(decoding: $0.publication.frame.payload, as: UTF8.self) }
                #expect(texts == (0..<2_000).map { "\($0)" })
            }
        }
    }
}

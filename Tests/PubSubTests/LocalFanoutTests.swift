// The fan-out compared with plain sets and lists, step by step; then its promises with all threads at once.

import Dispatch
import PubSub
import SeededGenerator
import Synchronization
import Testing
import WebSocket

@Suite("LocalFanout", .bounded)
struct LocalFanoutTests {
    private let news = Channel("news")!

    @Test("agrees with sets and lists at every step", arguments: 0..<8)
    func model(_ seed: Int) {
        var run = FanoutRun(seed: UInt64(seed))
        for _ in 0..<4_000 { run.step() }
        run.finish()
        #expect(run.mistakes.isEmpty, "\(run.mistakes.prefix(3))")
        let seen = [run.handedOver, run.deliveredAtOnce, run.refused, run.turnovers]
        #expect(zip(seen, [1_000, 20, 20, 10]).allSatisfy { $0 > $1 }, "\(seen)")
    }

    @Test("tells the broker of the node's first and last subscriber only")
    func interest() {
        let broker = RecordingBroker()
        let fanout = LocalFanout(receiver: RecordingReceiver())
        fanout.subscribe(1, to: news, at: broker)
        fanout.subscribe(2, to: news, at: broker)
        fanout.unsubscribe(1, from: news, at: broker)
        fanout.unsubscribe(3, from: news, at: broker)
        #expect(broker.calls == ["+news"])
        fanout.unsubscribe(2, from: news, at: broker)
        fanout.unsubscribe(2, from: news, at: broker)
        #expect(broker.calls == ["+news", "-news"])
    }

    @Test("takes a publication that is ordered already, even for a full inbox")
    func received() throws {
        let (receiver, broker) = (RecordingReceiver(), RecordingBroker())
        let fanout = LocalFanout(receiver: receiver)
        let publication = Publication(Draft(channel: news, frame: .text("x")), at: StreamPosition(offset: 7, epoch: 3))
        #expect(fanout.received(publication, receipt: 1) == 0 && receiver.handed.isEmpty)
        fanout.subscribe(1, to: news, at: broker)
        fanout.subscribe(2, to: news, at: broker)
        receiver.overload([1, 2])
        #expect(fanout.received(publication, receipt: 5) == 2)
        let handed = try #require(receiver.handed.first)
        #expect(handed.publication.position == publication.position && handed.workers.count == 2)
        #expect(handed.origin == .other && handed.receipt == 5 && receiver.handed.count == 1)
    }

    @Test("passes an answer to the asking thread only")
    func answer() throws {
        let receiver = RecordingReceiver()
        let fanout = LocalFanout(receiver: receiver)
        fanout.answer(.nobody, .failed(.overloaded))
        fanout.answer(.admin(ticket: 9), .failed(.unavailable(retryAfter: 4)))
        let given = try #require(receiver.answers.first)
        #expect(receiver.answers.count == 1)
        guard case .admin(ticket: 9) = given.asker, case .failed(.unavailable(retryAfter: 4)) = given.answer else {
            Issue.record("\(given.answer)")
            return
        }
    }

    @Test("keeps order and the broker's view while all threads join and publish", arguments: 0..<4)
    func threads(_ seed: Int) {
        let node = ModelNode(workers: FanoutRun.workers)
        let fanout = LocalFanout(receiver: node, rules: .keeping(1))
        let broker = NotingBroker(fanout: fanout)
        node.deliversAtOnce.store(false, ordering: .relaxed)
        DispatchQueue.concurrentPerform(iterations: FanoutRun.workers + 1) { thread in
            var generator = SeededGenerator(seed: UInt64(seed * 100 + thread))
            for number in 0..<1_000 {
                let channel = FanoutRun.channels.randomElement(using: &generator)!
                if thread < FanoutRun.workers && generator.oneIn(3) {
                    if generator.oneIn(2) {
                        fanout.subscribe(UInt8(thread), to: channel, at: broker)
                    } else {
                        fanout.unsubscribe(UInt8(thread), from: channel, at: broker)
                    }
                } else {
                    let draft = Draft(channel: channel, frame: .text("\(thread) \(number)"))
                    _ = broker.publish(draft, from: .nobody)
                }
            }
        }
        #expect(broker.mistakes == 0)
        #expect(fanout.channelCount == broker.subscribed.count)
        var texts: [Place: String] = [:]
        for worker in 0..<FanoutRun.workers {
            var last: [Channel: [UInt64: UInt64]] = [:]
            var own: [String: Int] = [:]
            for handed in node.waiting(worker) {
                guard let position = handed.publication.position else {
                    Issue.record("no position")
                    continue
                }
                let channel = handed.publication.channel
                #expect(position.offset > last[channel]?[position.epoch] ?? 0)
                last[channel, default: [:]][position.epoch] = position.offset
                let known = texts.updateValue(handed.text, forKey: Place(channel: channel, position: position))
                #expect(known == nil || known == handed.text)
                let words = handed.text.split(separator: " ")
                let number = Int(words[1])!
                #expect(number > own["\(words[0]) \(channel)"] ?? -1)
                own["\(words[0]) \(channel)"] = number
            }
        }
        // Each channel has one epoch for the whole life of the node.
        #expect(Set(texts.keys.map { "\($0.channel) \($0.position.epoch)" }).count == FanoutRun.channels.count)
        #expect(texts.count > 500 && Set(texts.values).count == texts.count)
    }

    private struct Place: Hashable {
        let channel: Channel
        let position: StreamPosition
    }
}

/// Inboxes of workers, as plain lists.
private final class ModelNode: PublicationReceiver {
    struct Handed: Sendable {
        let publication: Publication
        let receipt: UInt64?
        var text: String { String(decoding: publication.frame.payload, as: UTF8.self) }
    }

    private struct State {
        var inboxes: [[Handed]]
        var overloaded: Set<UInt8> = []
    }

    private let state: Mutex<State>
    /// Whether a worker with an empty inbox delivers its own publications at once.
    let deliversAtOnce = Atomic(true)

    init(workers: Int) { state = Mutex(State(inboxes: Array(repeating: [], count: workers))) }

    func isOverloaded(_ workers: WorkerSet) -> Bool {
        state.withLock { $0.overloaded.contains { workers.contains($0) } }
    }

    func receive(
        _ publication: Publication, for workers: WorkerSet, from origin: PublishingThread, receipt: UInt64?
    ) -> Bool {
        let mayBeHere = deliversAtOnce.load(ordering: .relaxed)
        return state.withLock { state in
            var isHere = false
            workers.forEach { worker in
                if mayBeHere && origin == .worker(worker) && state.inboxes[Int(worker)].isEmpty {
                    isHere = true
                } else {
                    state.inboxes[Int(worker)].append(Handed(publication: publication, receipt: receipt))
                }
            }
            return isHere
        }
    }

    func answer(_ answer: BrokerAnswer, to asker: Asker) {}

    func waiting(_ worker: Int) -> [Handed] { state.withLock { $0.inboxes[worker] } }

    /// Takes the oldest messages of a worker's inbox.
    func take(_ count: Int, of worker: Int) -> [Handed] {
        state.withLock { state in
            let taken = Array(state.inboxes[worker].prefix(count))
            state.inboxes[worker].removeFirst(taken.count)
            return taken
        }
    }

    func overload(_ workers: Set<UInt8>) { state.withLock { $0.overloaded = workers } }
}

/// The memory broker, which also notes the node's subscriptions.
private final class NotingBroker: Broker {
    private struct State {
        var subscribed: Set<Channel> = []
        var mistakes = 0
        var turnovers = 0
    }

    private let state = Mutex(State())
    private let memory: MemoryBroker

    init(fanout: LocalFanout) { memory = MemoryBroker(fanout: fanout) }

    var subscribed: Set<Channel> { state.withLock { $0.subscribed } }
    /// Calls that do not follow from the ones before.
    var mistakes: Int { state.withLock { $0.mistakes } }
    /// How many times a channel lost its last subscriber.
    var turnovers: Int { state.withLock { $0.turnovers } }

    func publish(_ draft: Draft, from asker: Asker) -> PublishOutcome { memory.publish(draft, from: asker) }

    func join(_ channel: Channel, _ wish: JoinWish, for asker: Asker) {}
    func history(_ channel: Channel, _ query: HistoryQuery, for asker: Asker) {}
    func clear(_ channel: Channel, for asker: Asker) {}

    func subscribe(to channel: Channel) {
        state.withLock { if !$0.subscribed.insert(channel).inserted { $0.mistakes += 1 } }
    }

    func unsubscribe(from channel: Channel) {
        state.withLock { state in
            if state.subscribed.remove(channel) == nil { state.mistakes += 1 }
            state.turnovers += 1
        }
    }
}

/// A fan-out, and the publications that each worker must get.
private struct FanoutRun {
    static let workers = 4
    static let channels = ["a", "b", "c"].map { Channel($0)! }

    private let node = ModelNode(workers: workers)
    private let fanout: LocalFanout
    private let broker: NotingBroker
    private var generator: SeededGenerator
    private var members: [Channel: Set<UInt8>] = [:]
    private var overloaded: Set<UInt8> = []
    /// The last position of each channel; nil before its first publication.
    private var last: [Channel: StreamPosition] = [:]
    private var epochs: Set<UInt64> = []
    /// By worker, the texts that it must get and those that it has got.
    private var expected: [[String]] = Array(repeating: [], count: workers)
    private var seen: [[String]] = Array(repeating: [], count: workers)
    private var number = 0
    private(set) var deliveredAtOnce = 0
    private(set) var refused = 0
    private(set) var mistakes: [String] = []

    var handedOver: Int { seen.reduce(0) { $0 + $1.count } }
    var turnovers: Int { broker.turnovers }

    init(seed: UInt64) {
        generator = SeededGenerator(seed: seed)
        fanout = LocalFanout(receiver: node, rules: .keeping(1))
        broker = NotingBroker(fanout: fanout)
    }

    mutating func step() {
        let channel = Self.channels.randomElement(using: &generator)!
        let worker = UInt8.random(in: 0..<UInt8(Self.workers), using: &generator)
        switch Int.random(in: 0...19, using: &generator) {
        case 0...2:
            fanout.subscribe(worker, to: channel, at: broker)
            members[channel, default: []].insert(worker)
        case 3...5:
            fanout.unsubscribe(worker, from: channel, at: broker)
            members[channel]?.remove(worker)
            if members[channel]?.isEmpty == true { members[channel] = nil }
        case 6...10: publish(to: channel, from: generator.oneIn(4) ? .other : .worker(worker), receipt: nil)
        case 11...12: publish(to: channel, from: .admin, receipt: UInt64(number))
        case 13: receive(channel)
        case 14: overloaded = overloaded.isEmpty ? [worker] : []
        default: take(Int.random(in: 1...8, using: &generator), of: Int(worker))
        }
        node.overload(overloaded)
        expect(broker.subscribed == Set(members.keys) && broker.mistakes == 0, "the broker's view")
        expect(fanout.channelCount == members.count, "channels")
    }

    /// Takes what is left, after which every worker has everything.
    mutating func finish() {
        for worker in 0..<Self.workers { take(.max, of: worker) }
        expect(seen == expected, "the order at the end")
    }

    private mutating func publish(to channel: Channel, from origin: PublishingThread, receipt: UInt64?) {
        let draft = Draft(channel: channel, frame: .text(nextText()), origin: origin, receipt: receipt)
        let text = "\(number)"
        let targets = members[channel] ?? []
        switch broker.publish(draft, from: .nobody) {
        case .ordered(let position, let workers, let here):
            expect(targets.isDisjoint(with: overloaded), "a refusal is missing")
            expect(workers.count == targets.count && targets.allSatisfy { workers.contains($0) }, "workers")
            if let position { note(position, in: channel) } else { expect(false, "no position") }
            guard case .worker(let worker) = origin, targets.contains(worker), isIdle(worker) else {
                expect(here == nil, "delivers at once out of turn")
                return add(text, to: targets)
            }
            add(text, to: targets)
            expect(here?.position == position, "does not deliver at once")
            seen[Int(worker)].append(text)
            deliveredAtOnce += 1
        case .refused(let failure):
            expect(failure == .overloaded && !targets.isDisjoint(with: overloaded), "refused")
            refused += 1
        case .accepted: expect(false, "accepted")
        }
    }

    /// A publication that another thread has ordered.
    private mutating func receive(_ channel: Channel) {
        let targets = members[channel] ?? []
        let position = StreamPosition(offset: UInt64(number) + 1, epoch: 7)
        let draft = Draft(channel: channel, frame: .text(nextText()))
        expect(fanout.received(Publication(draft, at: position), receipt: 1) == targets.count, "received")
        add("\(number)", to: targets)
    }

    private mutating func nextText() -> String {
        number += 1
        return "\(number)"
    }

    /// Positions count from 1 in an epoch of the channel's own.
    private mutating func note(_ position: StreamPosition, in channel: Channel) {
        if let last = last[channel] {
            expect(position == StreamPosition(offset: last.offset + 1, epoch: last.epoch), "position")
        } else {
            expect(position.offset == 1 && epochs.insert(position.epoch).inserted, "first position")
        }
        last[channel] = position
    }

    private mutating func add(_ text: String, to targets: Set<UInt8>) {
        for worker in targets { expected[Int(worker)].append(text) }
    }

    /// Whether the worker has taken everything that was sent to it.
    private func isIdle(_ worker: UInt8) -> Bool { seen[Int(worker)].count == expected[Int(worker)].count }

    private mutating func take(_ count: Int, of worker: Int) {
        seen[worker] += node.take(count, of: worker).map(\.text)
        expect(expected[worker].starts(with: seen[worker]), "the order")
    }

    private mutating func expect(_ holds: Bool, _ what: String) {
        if !holds { mistakes.append(what) }
    }
}

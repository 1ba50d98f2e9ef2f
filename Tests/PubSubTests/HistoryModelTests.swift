// History and joins compared with plain lists, step by step; then the bounds of memory.

import PubSub
import SeededGenerator
import Synchronization
import Testing
import WebSocket

@Suite("History in memory", .bounded)
struct HistoryModelTests {
    @Test("agrees with plain lists at every step", arguments: 0..<8)
    func model(_ seed: Int) {
        var run = HistoryRun(seed: UInt64(seed))
        for _ in 0..<4_000 { run.step() }
        #expect(run.mistakes.isEmpty, "\(run.mistakes.prefix(3))")
        #expect(run.recovered > 200 && run.missedSome > 100)
        for why in Unrecovered.allCases { #expect(run.reasons[why, default: 0] > 5, "\(why)") }
    }

    @Test("stays within its memory, and loses the oldest channels first")
    func memory() throws {
        let receiver = RecordingReceiver()
        let fanout = LocalFanout(receiver: receiver, rules: .keeping(1_000))
        let broker = MemoryBroker(fanout: fanout, memory: 1 << 20)
        let hot = try #require(Channel("hot"))
        let payload = String(repeating: "x", count: 1_000)
        for number in 0..<20_000 {
            let channel = number.isMultiple(of: 2) ? hot : try #require(Channel("cold \(number)"))
            _ = broker.publish(Draft(channel: channel, frame: .text(payload)), from: .nobody)
            #expect(broker.figures.bytes <= 1 << 20)
        }
        let figures = broker.figures
        #expect(figures.publicationsEvicted > 10_000 && figures.positionsEvicted > 1_000)
        #expect(figures.channels < 2_100 && figures.bytes > 1 << 18)
    }

    @Test("gives clients that missed the same the same run")
    func shared() throws {
        let receiver = RecordingReceiver()
        let broker = MemoryBroker(fanout: LocalFanout(receiver: receiver, rules: .keeping(10)))
        let news = try #require(Channel("news"))
        for _ in 0..<5 { _ = broker.publish(Draft(channel: news, frame: .text("x")), from: .nobody) }
        let wish = JoinWish(since: RecoveryPlace(offset: 2, epoch: nil))
        broker.join(news, wish, for: .worker(0, ticket: 1))
        broker.join(news, wish, for: .worker(1, ticket: 2))
        let runs = receiver.answers.compactMap { answer -> SharedRun? in
            if case .joined(let result) = answer.answer { result.run } else { nil }
        }
        #expect(runs.count == 2 && runs[0] === runs[1])
        #expect(runs[0].publications.map(\.position?.offset) == [3, 4, 5])
    }
}

/// A broker, and what it must keep.
private struct HistoryRun {
    private struct Kept {
        let offset: UInt64
        let text: String
        let at: UInt64
    }

    private struct Expected {
        var top: UInt64 = 0
        var epoch: UInt64?
        var kept: [Kept] = []
        var touchedAt: UInt64 = 0
    }

    private static let channels = ["a", "b", "c"].map { Channel($0)! }
    private static let (size, age, positionAge) = (20, UInt64(1_000), UInt64(5_000))

    private let receiver = RecordingReceiver()
    private let broker: MemoryBroker
    private let clock: Clock
    private var generator: SeededGenerator
    private var channels: [Channel: Expected] = [:]
    private var oldEpochs: [UInt64] = [1]
    private var number = 0
    private(set) var recovered = 0
    private(set) var missedSome = 0
    private(set) var reasons: [Unrecovered: Int] = [:]
    private(set) var mistakes: [String] = []

    private final class Clock: Sendable {
        let now = Atomic<UInt64>(1_000_000)
    }

    init(seed: UInt64) {
        generator = SeededGenerator(seed: seed)
        let clock = Clock()
        self.clock = clock
        let rules = ChannelRules.keeping(Self.size, age: Self.age) { options in
            options.positionAge = Self.positionAge
            options.limits.missed = 12
        }
        broker = MemoryBroker(fanout: LocalFanout(receiver: receiver, rules: rules)) {
            clock.now.load(ordering: .relaxed)
        }
    }

    mutating func step() {
        let channel = Self.channels.randomElement(using: &generator)!
        switch Int.random(in: 0...19, using: &generator) {
        case 0...9: publish(channel)
        case 10...14: join(channel)
        case 15...16: page(channel)
        case 17: pass(UInt64.random(in: 1...400, using: &generator))
        case 18:
            if generator.oneIn(4) { clear(channel) } else { sweep() }
        default:
            if generator.oneIn(8) { pass(Self.positionAge + 1) }
        }
    }

    private var now: UInt64 { clock.now.load(ordering: .relaxed) }

    private mutating func pass(_ milliseconds: UInt64) { clock.now.add(milliseconds, ordering: .relaxed) }

    private mutating func sweep() {
        broker.tend()
        for channel in Self.channels where (channels[channel]?.touchedAt ?? now) + Self.positionAge <= now {
            if let epoch = channels[channel]?.epoch { oldEpochs.append(epoch) }
            channels[channel] = nil
        }
    }

    private mutating func publish(_ channel: Channel) {
        number += 1
        let draft = Draft(channel: channel, frame: .text("\(number)"))
        guard case .ordered(let position?, _, _) = broker.publish(draft, from: .nobody) else {
            return mistakes.append("no position")
        }
        if channels[channel] == nil { channels[channel] = Expected(touchedAt: now) }
        channels[channel]!.top += 1
        note(position, channel, "publish")
        channels[channel]!.touchedAt = now
        channels[channel]!.kept.append(Kept(offset: position.offset, text: "\(number)", at: now))
        trim(channel)
    }

    private mutating func trim(_ channel: Channel) {
        guard let kept = channels[channel]?.kept else { return }
        channels[channel]!.kept = Array(kept.suffix(Self.size).drop { $0.at + Self.age <= now })
    }

    private mutating func note(_ position: StreamPosition, _ channel: Channel, _ step: String) {
        let expected = channels[channel]!
        if expected.epoch == nil {
            expect(!oldEpochs.contains(position.epoch), "\(step): an old epoch")
            channels[channel]!.epoch = position.epoch
        }
        expect(position == StreamPosition(offset: expected.top, epoch: channels[channel]!.epoch!), "\(step): position")
    }

    private func lastAnswer() -> BrokerAnswer? { receiver.answers.last?.answer }

    private mutating func join(_ channel: Channel) {
        let top = channels[channel]?.top ?? 0
        let offset = UInt64.random(in: (top > 25 ? top - 25 : 0)...top + 1, using: &generator)
        var epoch = channels[channel]?.epoch
        if generator.oneIn(8) { epoch = oldEpochs.randomElement(using: &generator) }
        let newest = generator.oneIn(2) ? 0 : Int.random(in: 1...15, using: &generator)
        let since = generator.oneIn(4) ? nil : RecoveryPlace(offset: offset, epoch: epoch)
        broker.join(channel, JoinWish(since: since, newest: newest), for: .worker(0, ticket: 1))
        guard case .joined(let result)? = lastAnswer(), let position = result.position else {
            return mistakes.append("no join")
        }
        if channels[channel] == nil { channels[channel] = Expected(touchedAt: now) }
        note(position, channel, "join")
        trim(channel)
        let state = channels[channel]!
        let first = state.kept.first?.offset ?? state.top + 1
        var why: Unrecovered?
        if let since {
            if let epoch = since.epoch, epoch != state.epoch {
                why = .epoch
            } else if since.offset > state.top {
                why = .ahead
            } else if since.offset + 1 < first {
                why = .trimmed
            } else if state.top - since.offset > 12 {
                why = .limit
            }
        }
        expect(result.why == why, "why: \(String(describing: result.why)), not \(String(describing: why))")
        let given = result.run?.publications.map { String(decoding: $0.frame.payload, as: UTF8.self) } ?? []
        let wanted: [Kept]
        if let since, why == nil {
            wanted = state.kept.filter { $0.offset > since.offset }
            recovered += 1
            if !wanted.isEmpty { missedSome += 1 }
        } else {
            wanted = state.kept.suffix(min(newest, 12))
        }
        if let why { reasons[why, default: 0] += 1 }
        expect(given == wanted.map(\.text), "run: \(given), not \(wanted.map(\.text))")
    }

    private mutating func page(_ channel: Channel) {
        let limit = Int.random(in: 0...8, using: &generator)
        let isReversed = generator.oneIn(2)
        let top = channels[channel]?.top ?? 0
        let offset = UInt64.random(in: 0...top, using: &generator)
        let since = generator.oneIn(2) ? nil : RecoveryPlace(offset: offset, epoch: nil)
        broker.history(
            channel, HistoryQuery(limit: limit, since: since, isReversed: isReversed), for: .admin(ticket: 1))
        guard case .history(let page)? = lastAnswer() else { return mistakes.append("no page") }
        trim(channel)
        let kept = channels[channel]?.kept ?? []
        var wanted = isReversed ? Array(kept.reversed()) : kept
        if let since { wanted = wanted.filter { isReversed ? $0.offset < since.offset : $0.offset > since.offset } }
        let texts = page.items.map { String(decoding: $0.publication.frame.payload, as: UTF8.self) }
        expect(texts == wanted.prefix(limit).map(\.text), "page")
        expect(page.count == kept.count && page.position?.offset == channels[channel]?.top, "the page's figures")
        if limit > 0 { expect(page.hasMore == (wanted.count > limit), "more") }
    }

    private mutating func clear(_ channel: Channel) {
        trim(channel)
        let count = channels[channel]?.kept.count ?? 0
        broker.clear(channel, for: .admin(ticket: 1))
        guard case .cleared(let cleared, let position)? = lastAnswer() else { return mistakes.append("no answer") }
        expect(cleared == count && position?.offset == channels[channel]?.top, "clear")
        channels[channel]?.kept = []
    }

    private mutating func expect(_ holds: Bool, _ what: @autoclosure () -> String) {
        if !holds { mistakes.append(what()) }
    }
}

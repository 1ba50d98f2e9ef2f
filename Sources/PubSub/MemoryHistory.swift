// What the memory of this process keeps of channels: for each that keeps history, its window, and its position for some time after
// that. All of it together is bounded in bytes: the channels that were published to longest ago give way, first their
// publications and then their positions.
//
// Runs on: any thread, each channel under the lock of its shard.
// Allocates: for each channel with history, and for each publication that is kept.
// Read next: ChannelWindow.swift, MemoryBroker.swift.

import Synchronization

/// The windows of all channels, in shards with a lock each. A caller that needs the channel's order holds the channel's lock in
/// the fan-out meanwhile.
final class MemoryHistory: Sendable {
    private struct Record {
        var window: ChannelWindow
        let options: ChannelOptions
        /// When it was last published to, or first asked for, in milliseconds since 1970.
        var touchedAt: UInt64
        /// The run that was asked for last, as long as somebody holds it.
        weak var run: SharedRun?

        /// Bytes that it costs in all.
        var cost: Int { window.byteCount + MemoryHistory.overhead }
    }

    private struct State {
        var records: [Channel: Record] = [:]
        /// The names in a list, for looking at some of them in turn.
        var names: [Channel] = []
        var next = 0
    }

    private final class Shard: Sendable {
        let state = Mutex(State())
    }

    /// Bytes that a channel costs besides its publications.
    static let overhead = 512
    private static let shardCount = 16
    /// Channels that are looked at for one that gives way.
    private static let sample = 16

    private let shards = (0..<shardCount).map { _ in Shard() }
    private let limit: Int
    private let used = Atomic<Int>(0)
    /// Counts the shards that were asked for room.
    private let shardsAsked = Atomic<UInt64>(0)
    private let publicationsEvicted = Atomic<UInt64>(0)
    private let positionsEvicted = Atomic<UInt64>(0)

    /// - Parameter limit: bytes of all channels together.
    init(limit: Int) { self.limit = limit }

    /// The figures of all channels.
    var figures: HistoryFigures {
        HistoryFigures(
            bytes: used.load(ordering: .relaxed),
            channels: shards.reduce(0) { $0 + $1.state.withLock { $0.records.count } },
            publicationsEvicted: publicationsEvicted.load(ordering: .relaxed),
            positionsEvicted: positionsEvicted.load(ordering: .relaxed))
    }

    // MARK: Channels

    /// Keeps a publication, and answers its position.
    func append(_ draft: Draft, _ options: ChannelOptions, at now: UInt64) -> StreamPosition {
        with(draft.channel, options, at: now) { record in
            record.touchedAt = now
            let position = record.window.append(draft, at: now)
            record.window.trim(size: options.history.size, before: now.before(options.history.age))
            return position
        }
    }

    /// What a join is given. The channel has a position from here on.
    func join(_ channel: Channel, _ wish: JoinWish, _ options: ChannelOptions, at now: UInt64) -> JoinResult {
        with(channel, options, at: now) { record in
            record.window.trim(size: options.history.size, before: now.before(options.history.age))
            var result = JoinResult(position: record.window.position)
            var offsets: Range<UInt64>?
            switch wish.since.map({ record.window.since($0, options.limits) }) {
            case .offsets(let missed): offsets = missed
            case .unrecovered(let why): result.why = why
            case nil: break
            }
            let given = offsets ?? record.window.newest(wish.newest, options.limits)
            if !given.isEmpty { result.run = Self.run(given, &record) }
            return result
        }
    }

    private static func run(_ offsets: Range<UInt64>, _ record: inout Record) -> SharedRun {
        if let run = record.run, run.publications.count == offsets.count,
            run.publications.first?.position
                == StreamPosition(offset: offsets.lowerBound, epoch: record.window.position.epoch)
        {
            return run
        }
        let run = SharedRun(offsets.map { record.window.publication(at: $0) })
        record.run = run
        return run
    }

    /// A page of what is kept; an empty one without a position for a channel that has none yet.
    func page(_ channel: Channel, _ query: HistoryQuery, at now: UInt64) -> HistoryPage {
        existing(channel) { record in
            record.window.trim(size: record.options.history.size, before: now.before(record.options.history.age))
            return record.window.page(query)
        } ?? HistoryPage()
    }

    /// Forgets the publications of a channel; answers how many, and the position, which stays.
    func clear(_ channel: Channel, at now: UInt64) -> (count: Int, position: StreamPosition?) {
        existing(channel) { record in
            record.window.trim(size: record.options.history.size, before: now.before(record.options.history.age))
            let count = record.window.count
            record.window.clear()
            return (count, record.window.position)
        } ?? (0, nil)
    }

    /// Forgets what is too old, of some channels of each shard: called once a second, it gets to each channel in time.
    /// - Parameter steps: channels of each shard to look at.
    func sweep(at now: UInt64, steps: Int) {
        for shard in shards {
            let freed = shard.state.withLock { state in
                var freed = 0
                for _ in 0..<min(steps, state.names.count) {
                    guard let channel = Self.nextName(&state) else { break }
                    // Nothing holds a second copy of the window, so that it is trimmed in its place.
                    guard let before = state.records[channel]?.cost, let options = state.records[channel]?.options
                    else { break }
                    let isOver = state.records[channel].map { $0.touchedAt <= now.before(options.positionAge) }
                    if isOver == true {
                        Self.remove(channel, &state)
                    } else {
                        let oldest = now.before(options.history.age)
                        state.records[channel]?.window.trim(size: options.history.size, before: oldest)
                    }
                    freed += before - (state.records[channel]?.cost ?? 0)
                }
                return freed
            }
            used.subtract(freed, ordering: .relaxed)
        }
    }

    // MARK: Bookkeeping

    /// Changes the channel's record, which is made if there is none, and sees to it that all fits.
    private func with<Result>(
        _ channel: Channel, _ options: ChannelOptions, at now: UInt64, _ body: (inout Record) -> Result
    ) -> Result {
        defer { makeRoom() }
        return shard(channel).state.withLock { state in
            var added = 0
            if state.records[channel] == nil {
                let window = ChannelWindow(channel, epoch: UInt64.random(in: 1...UInt64.max))
                state.records[channel] = Record(window: window, options: options, touchedAt: now)
                state.names.append(channel)
                added = Self.overhead
            }
            let before = state.records[channel]!.window.byteCount
            let result = body(&state.records[channel]!)
            added += state.records[channel]!.window.byteCount - before
            used.add(added, ordering: .relaxed)
            return result
        }
    }

    private func existing<Result>(_ channel: Channel, _ body: (inout Record) -> Result) -> Result? {
        shard(channel).state.withLock { state in
            guard let before = state.records[channel]?.window.byteCount else { return nil }
            let result = body(&state.records[channel]!)
            used.subtract(before - state.records[channel]!.window.byteCount, ordering: .relaxed)
            return result
        }
    }

    /// Sees to it that all fits: looks at a few channels of one shard after the other. Called without a shard's lock.
    private func makeRoom() {
        var failures = 0
        while used.load(ordering: .relaxed) > limit, failures < 2 * Self.shardCount {
            let turn = shardsAsked.add(1, ordering: .relaxed).newValue
            let freed = shards[Int(turn % UInt64(Self.shardCount))].state.withLock { evict(&$0) }
            used.subtract(freed, ordering: .relaxed)
            failures = freed > 0 ? 0 : failures + 1
        }
    }

    /// Of the channels that are looked at, the one that was published to longest ago loses the older half of its publications; where
    /// none has any, its position. Answers the bytes that are free now.
    private func evict(_ state: inout State) -> Int {
        var victim: (channel: Channel, touchedAt: UInt64, isEmpty: Bool)?
        for _ in 0..<min(Self.sample, state.names.count) {
            guard let name = Self.nextName(&state), let record = state.records[name] else { continue }
            let isEmpty = record.window.count == 0
            if let victim, (victim.isEmpty ? 1 : 0, victim.touchedAt) <= (isEmpty ? 1 : 0, record.touchedAt) {
                continue
            }
            victim = (name, record.touchedAt, isEmpty)
        }
        guard let channel = victim?.channel, let before = state.records[channel]?.cost,
            let kept = state.records[channel]?.window.count
        else { return 0 }
        guard kept > 0 else {
            positionsEvicted.add(1, ordering: .relaxed)
            Self.remove(channel, &state)
            return before
        }
        let count = (kept + 1) / 2
        publicationsEvicted.add(UInt64(count), ordering: .relaxed)
        for _ in 0..<count { state.records[channel]?.window.dropFirst() }
        return before - (state.records[channel]?.cost ?? 0)
    }

    /// The next name in turn.
    private static func nextName(_ state: inout State) -> Channel? {
        guard !state.names.isEmpty else { return nil }
        state.next = state.next + 1 < state.names.count ? state.next + 1 : 0
        return state.names[state.next]
    }

    /// Removes the channel that `nextName` has answered last, or looks for it.
    private static func remove(_ channel: Channel, _ state: inout State) {
        state.records[channel] = nil
        let isNext = state.next < state.names.count && state.names[state.next] == channel
        guard let place = isNext ? state.next : state.names.firstIndex(of: channel) else { return }
        state.names.swapAt(place, state.names.count - 1)
        state.names.removeLast()
    }

    private func shard(_ channel: Channel) -> Shard {
        shards[Int(UInt(bitPattern: channel.hashValue) % UInt(Self.shardCount))]
    }
}

/// The figures of what memory keeps of channels.
public struct HistoryFigures: Sendable, Equatable {
    /// Bytes of publications and positions.
    public var bytes = 0
    /// Channels with a position.
    public var channels = 0
    /// Publications that gave way before their size or age.
    public var publicationsEvicted: UInt64 = 0
    /// Positions that gave way before their age.
    public var positionsEvicted: UInt64 = 0

    /// Nothing is kept.
    public init() {}

    init(bytes: Int, channels: Int, publicationsEvicted: UInt64, positionsEvicted: UInt64) {
        self.bytes = bytes
        self.channels = channels
        self.publicationsEvicted = publicationsEvicted
        self.positionsEvicted = positionsEvicted
    }
}

extension UInt64 {
    /// The time so many milliseconds earlier.
    fileprivate func before(_ milliseconds: UInt64) -> UInt64 { self > milliseconds ? self - milliseconds : 0 }
}

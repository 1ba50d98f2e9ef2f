// The broker of a single node. It orders each publication at once, and nobody but this node's workers hears it. The
// memory of this process holds the channels' histories, and their epochs end with it, so that no client takes a later publication for one it has.
//
// Runs on: any worker and the admin thread.
// Read next: MemoryHistory.swift, LocalFanout.swift.

import Glibc

/// Orders the publications of this process, and keeps those of channels with history.
public final class MemoryBroker: Broker {
    private let fanout: LocalFanout
    private let history: MemoryHistory
    private let now: @Sendable () -> UInt64

    /// - Parameters:
    ///   - memory: bytes of all publications and positions that are kept.
    ///   - now: milliseconds since 1970.
    public init(
        fanout: LocalFanout, memory: Int = 64 << 20, now: @escaping @Sendable () -> UInt64 = MemoryBroker.time
    ) {
        self.fanout = fanout
        self.now = now
        history = MemoryHistory(limit: memory)
    }

    /// The outcome is never `accepted`: the position is there at once.
    public func publish(_ draft: Draft, from asker: Asker) -> PublishOutcome {
        fanout.publish(draft) { options in
            guard draft.keepsHistory, options.keepsHistory else { return nil }
            return history.append(draft, options, at: now())
        }
    }

    public func join(_ channel: Channel, _ wish: JoinWish, for asker: Asker) {
        let options = fanout.options(of: channel)
        fanout.answer(asker, about: channel) {
            .joined(options.keepsHistory ? history.join(channel, wish, options, at: now()) : JoinResult())
        }
    }

    public func history(_ channel: Channel, _ query: HistoryQuery, for asker: Asker) {
        fanout.answer(asker, about: channel) { .history(history.page(channel, query, at: now())) }
    }

    public func clear(_ channel: Channel, for asker: Asker) {
        fanout.answer(asker, about: channel) {
            let (count, position) = history.clear(channel, at: now())
            return .cleared(count: count, position: position)
        }
    }

    /// Nothing to do: the fan-out knows this node's subscribers, and there are no others.
    public func subscribe(to channel: Channel) {}
    /// Nothing to do, as for `subscribe`.
    public func unsubscribe(from channel: Channel) {}

    public var figures: HistoryFigures { history.figures }

    public func tend() { history.sweep(at: now(), steps: 1_024) }

    /// The time, to some milliseconds.
    @Sendable public static func time() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME_COARSE, &time)
        return UInt64(time.tv_sec) * 1_000 + UInt64(time.tv_nsec) / 1_000_000
    }
}

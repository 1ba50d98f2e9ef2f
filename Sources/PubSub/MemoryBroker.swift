// The broker of a single node. Positions count in the memory of this process, so it orders each publication at once, and nobody
// but this node's workers hears it.
//
// Runs on: any worker and the admin thread.
// Read next: LocalFanout.swift.

import Synchronization

/// Orders the publications of this process.
public final class MemoryBroker: Broker {
    private let fanout: LocalFanout
    private let lastEpoch: Atomic<UInt64>

    public init(fanout: LocalFanout) {
        self.fanout = fanout
        lastEpoch = Atomic(UInt64.random(in: 1 << 40..<1 << 48))
    }

    /// The outcome is never `accepted`: the position is there at once.
    public func publish(_ draft: Draft, from asker: Asker) -> PublishOutcome {
        fanout.publish(draft) { last in
            guard let last else { return StreamPosition(offset: 1, epoch: nextEpoch()) }
            return StreamPosition(offset: last.offset + 1, epoch: last.epoch)
        }
    }

    /// Nothing to do: the fan-out knows this node's subscribers, and there are no others.
    public func subscribe(to channel: Channel) {}
    /// Nothing to do, as for `subscribe`.
    public func unsubscribe(from channel: Channel) {}

    private func nextEpoch() -> UInt64 { lastEpoch.add(1, ordering: .relaxed).newValue }
}

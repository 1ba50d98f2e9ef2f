// The broker of a single node. It keeps the positions of channels in memory, and the workers that subscribe to each, so that a
// publication wakes only those.
//
// This is the one lock on the way of a message. It guarantees the order at every subscriber on every worker: assigning the
// offset and posting to the inboxes is one step. A publication holds it for a few hundred nanoseconds, whatever the number
// of subscribers, and channels are spread over shards.
//
// Runs on: any worker and the admin thread.

import Synchronization
public import WebSocket

/// Orders the publications of this process.
public final class MemoryBroker: Broker {
    private struct Stream {
        var position: StreamPosition
        var workers = WorkerSet()
    }

    private final class Shard: Sendable {
        let streams = Mutex<[Channel: Stream]>([:])
    }

    private static let shardCount = 16

    private let shards: [Shard] = (0..<shardCount).map { _ in Shard() }
    private let receiver: any PublicationReceiver
    private let lastEpoch: Atomic<UInt64>

    /// - Parameter receiver: gets the publications of each channel in order.
    public init(receiver: any PublicationReceiver) {
        self.receiver = receiver
        lastEpoch = Atomic(UInt64.random(in: 1 << 40..<1 << 48))
    }

    public func publish(
        _ frame: Frame, to channel: Channel, key: String?, exclude: SubscriberID?, origin: UInt8?, receipt: UInt64?
    ) -> PublishOutcome {
        shard(channel).streams.withLock { streams in
            guard let place = streams.index(forKey: channel) else {
                // Without subscribers and history, the channel exists only for this one publication.
                return .published(StreamPosition(offset: 1, epoch: nextEpoch()), workers: WorkerSet(), deliverHere: nil)
            }
            let workers = streams.values[place].workers
            guard !receiver.isOverloaded(workers) else { return .overloaded }
            streams.values[place].position.offset += 1
            let publication = Publication(
                channel: channel, frame: frame, exclude: exclude, position: streams.values[place].position,
                key: key)
            let here = receiver.receive(publication, for: workers, origin: origin, receipt: receipt)
            return .published(publication.position, workers: workers, deliverHere: here ? publication : nil)
        }
    }

    public func subscribe(_ worker: UInt8, to channel: Channel) {
        shard(channel).streams.withLock { streams in
            streams[channel, default: Stream(position: StreamPosition(offset: 0, epoch: nextEpoch()))]
                .workers.insert(worker)
        }
    }

    public func unsubscribe(_ worker: UInt8, from channel: Channel) {
        shard(channel).streams.withLock { streams in
            streams[channel]?.workers.remove(worker)
            if let stream = streams[channel], stream.workers.isEmpty { streams[channel] = nil }
        }
    }

    public var channelCount: Int {
        shards.reduce(0) { $0 + $1.streams.withLock { $0.count } }
    }

    private func shard(_ channel: Channel) -> Shard {
        shards[Int(UInt(bitPattern: channel.hashValue) % UInt(Self.shardCount))]
    }

    private func nextEpoch() -> UInt64 { lastEpoch.add(1, ordering: .relaxed).newValue }
}

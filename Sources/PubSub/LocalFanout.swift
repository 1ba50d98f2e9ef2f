// The node's half of publishing, the same for every broker: the workers with subscribers of a channel, and the one way of a
// publication to their hubs.
//
// Its lock is the one lock on the way of a message. It guarantees the order at every subscriber on every worker: giving a
// publication its position and posting it to the inboxes is one step. A publication holds it for a few hundred nanoseconds, for
// any number of subscribers, and channels are spread over shards.
//
// Runs on: any worker, the admin thread, and the thread of a broker that has one.
// Read next: Hub.swift.

import Synchronization
import WebSocket

/// The threads of the node, as the fan-out sees them.
public protocol PublicationReceiver: AnyObject, Sendable {
    /// Whether the inbox of any worker in the set is full.
    func isOverloaded(_ workers: WorkerSet) -> Bool
    /// Posts the publication to the workers' inboxes. Calls for one channel come one at a time, in the channel's order.
    /// - Parameters:
    ///   - origin: the thread that calls.
    ///   - receipt: returned with each worker's delivery count; nil when no count is needed.
    /// - Returns: true when the origin is one of the workers and must deliver the publication itself, at once, because nothing
    ///   earlier waits in its inbox.
    func receive(
        _ publication: Publication, for workers: WorkerSet, from origin: PublishingThread, receipt: UInt64?
    ) -> Bool
    /// Posts a broker's answer to the admin thread's inbox.
    func answer(_ answer: BrokerAnswer, ticket: UInt64)
}

/// The channels of this node, the workers that have subscribers of each, and the delivery to them.
public final class LocalFanout: Sendable {
    /// A channel with subscribers on this node.
    private struct Listeners {
        var workers = WorkerSet()
        /// The position of the last publication here; nil before the first.
        var last: StreamPosition?
    }

    private final class Shard: Sendable {
        let channels = Mutex<[Channel: Listeners]>([:])
    }

    private static let shardCount = 16

    private let shards: [Shard] = (0..<shardCount).map { _ in Shard() }
    private let receiver: any PublicationReceiver
    /// The options of all channels.
    public let rules: ChannelRules

    /// - Parameter receiver: gets the publications of each channel in order.
    public init(receiver: any PublicationReceiver, rules: ChannelRules = ChannelRules()) {
        self.receiver = receiver
        self.rules = rules
    }

    /// The options of a channel.
    public func options(of channel: Channel) -> ChannelOptions {
        rules.isEmpty ? ChannelOptions() : rules.options(of: channel)
    }

    /// The number of channels with subscribers on this node.
    public var channelCount: Int {
        shards.reduce(0) { $0 + $1.channels.withLock { $0.count } }
    }

    // MARK: Subscriptions

    /// The worker has its first subscriber of the channel. If it is the node's first, the broker subscribes.
    public func subscribe(_ worker: UInt8, to channel: Channel, at broker: any Broker) {
        shard(channel).channels.withLock { channels in
            if let place = channels.index(forKey: channel) { return channels.values[place].workers.insert(worker) }
            var listeners = Listeners()
            listeners.workers.insert(worker)
            channels[channel] = listeners
            broker.subscribe(to: channel)
        }
    }

    /// The worker has lost its last subscriber of the channel. If it was the node's last, the broker unsubscribes.
    public func unsubscribe(_ worker: UInt8, from channel: Channel, at broker: any Broker) {
        shard(channel).channels.withLock { channels in
            guard let place = channels.index(forKey: channel) else { return }
            channels.values[place].workers.remove(worker)
            guard channels.values[place].workers.isEmpty else { return }
            channels.remove(at: place)
            broker.unsubscribe(from: channel)
        }
    }

    // MARK: Publications

    /// Gives a publication its position and delivers it, as one step: for a broker that orders at once, on the publisher's
    /// thread. Refuses it, without a position, when the inbox of one of the workers is full.
    /// - Parameter position: the position after the channel's last one; nil stands for a channel without any.
    public func publish(_ draft: Draft, position: (StreamPosition?) -> StreamPosition) -> PublishOutcome {
        let isTooLarge = !rules.isEmpty && draft.frame.payloadCount > rules.options(of: draft.channel).maxSize
        guard !isTooLarge else { return .refused(.tooLarge) }
        return shard(draft.channel).channels.withLock { channels in
            guard let place = channels.index(forKey: draft.channel) else {
                // Without subscribers, the channel exists only for this one publication.
                return .ordered(position(nil), workers: WorkerSet(), deliverHere: nil)
            }
            let workers = channels.values[place].workers
            guard !receiver.isOverloaded(workers) else { return .refused(.overloaded) }
            let publication = Publication(draft, at: position(channels.values[place].last))
            let here = deliver(
                publication, to: &channels.values[place], from: draft.origin, receipt: draft.receipt)
            return .ordered(publication.position, workers: workers, deliverHere: here ? publication : nil)
        }
    }

    /// Delivers a publication that has its position: for a broker that orders later, on a thread of its own. Call it in the
    /// channel's order. The workers take it even if their inboxes are full, since others have it by now.
    /// - Parameter receipt: of the draft, if it was published on this node.
    /// - Returns: how many workers deliver it, each of which reports its count if there is a receipt.
    public func received(_ publication: Publication, receipt: UInt64?) -> Int {
        shard(publication.channel).channels.withLock { channels in
            guard let place = channels.index(forKey: publication.channel) else { return 0 }
            _ = deliver(publication, to: &channels.values[place], from: .other, receipt: receipt)
            return channels.values[place].workers.count
        }
    }

    /// Posts a broker's answer to the thread that asked.
    public func answer(_ asker: Asker, _ answer: BrokerAnswer) {
        switch asker {
        case .admin(let ticket): receiver.answer(answer, ticket: ticket)
        case .nobody: break
        }
    }

    /// The only way to the hubs.
    private func deliver(
        _ publication: Publication, to listeners: inout Listeners, from origin: PublishingThread, receipt: UInt64?
    ) -> Bool {
        listeners.last = publication.position
        return receiver.receive(publication, for: listeners.workers, from: origin, receipt: receipt)
    }

    private func shard(_ channel: Channel) -> Shard {
        shards[Int(UInt(bitPattern: channel.hashValue) % UInt(Self.shardCount))]
    }
}

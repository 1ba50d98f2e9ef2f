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
    /// Posts a broker's answer to the asker's inbox.
    func answer(_ answer: BrokerAnswer, to asker: Asker)
}

/// The channels of this node, the workers that have subscribers of each, and the delivery to them.
public final class LocalFanout: Sendable {
    /// A channel with subscribers on this node.
    private struct Listeners {
        var workers = WorkerSet()
        let options: ChannelOptions
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
            var listeners = Listeners(options: options(of: channel))
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
    /// thread. Refuses it, without a position, when it is too large, or when the inbox of one of the workers is full.
    /// - Parameter order: the position; called once, under the channel's lock, with the channel's options.
    public func publish(_ draft: Draft, order: (ChannelOptions) -> StreamPosition?) -> PublishOutcome {
        shard(draft.channel).channels.withLock { channels in
            guard let place = channels.index(forKey: draft.channel) else {
                let options = options(of: draft.channel)
                guard draft.frame.payloadCount <= options.maxSize else { return .refused(.tooLarge) }
                return .ordered(order(options), workers: WorkerSet(), deliverHere: nil)
            }
            let listeners = channels.values[place]
            guard draft.frame.payloadCount <= listeners.options.maxSize else { return .refused(.tooLarge) }
            guard !receiver.isOverloaded(listeners.workers) else { return .refused(.overloaded) }
            let publication = Publication(draft, at: order(listeners.options))
            let here = receiver.receive(
                publication, for: listeners.workers, from: draft.origin, receipt: draft.receipt)
            return .ordered(publication.position, workers: listeners.workers, deliverHere: here ? publication : nil)
        }
    }

    /// Answers an asker in the channel's order: under the channel's lock, so that each publication is either in the answer or
    /// comes to the asker behind it.
    public func answer(_ asker: Asker, about channel: Channel, _ answer: () -> BrokerAnswer) {
        shard(channel).channels.withLock { _ in self.answer(asker, answer()) }
    }

    /// Delivers a publication that has its position: for a broker that orders later, on a thread of its own. Call it in the
    /// channel's order. The workers take it even if their inboxes are full, since others have it by now.
    /// - Parameter receipt: of the draft, if it was published on this node.
    /// - Returns: how many workers deliver it, each of which reports its count if there is a receipt.
    public func received(_ publication: Publication, receipt: UInt64?) -> Int {
        shard(publication.channel).channels.withLock { channels in
            guard let place = channels.index(forKey: publication.channel) else { return 0 }
            let workers = channels.values[place].workers
            _ = receiver.receive(publication, for: workers, from: .other, receipt: receipt)
            return workers.count
        }
    }

    /// Posts a broker's answer to the thread that asked.
    public func answer(_ asker: Asker, _ answer: BrokerAnswer) {
        switch asker {
        case .admin, .worker: receiver.answer(answer, to: asker)
        case .nobody: break
        }
    }

    private func shard(_ channel: Channel) -> Shard {
        shards[Int(UInt(bitPattern: channel.hashValue) % UInt(Self.shardCount))]
    }
}

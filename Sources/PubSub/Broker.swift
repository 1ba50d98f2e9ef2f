// The seam between a node and whatever spreads publications: the memory of this process now, other nodes later. Delivery has
// one path whatever the broker: it gives a publication its position and hands it to the node, which hands it to the workers.
//
// Read next: MemoryBroker.swift.

public import WebSocket

/// Takes publications, orders them per channel, and hands them to the node.
public protocol Broker: Sendable {
    /// Orders one publication and hands it on.
    /// - Parameters:
    ///   - frame: the message, encoded.
    ///   - origin: the worker that publishes, nil for the admin API.
    ///   - key: what conflation compares, see `Publication.key`.
    ///   - receipt: given back with each worker's count of deliveries; nil when nobody asks.
    func publish(
        _ frame: Frame, to channel: Channel, key: String?, exclude: SubscriberID?, origin: UInt8?, receipt: UInt64?
    ) -> PublishOutcome

    /// Worker `worker` has its first subscriber of the channel.
    func subscribe(_ worker: UInt8, to channel: Channel)
    /// Worker `worker` has lost its last one.
    func unsubscribe(_ worker: UInt8, from channel: Channel)
    /// How many channels have subscribers on this node.
    var channelCount: Int { get }
}

/// The node's side of a broker.
public protocol PublicationReceiver: AnyObject, Sendable {
    /// Whether a worker of the set cannot take more at this moment.
    func isOverloaded(_ workers: WorkerSet) -> Bool
    /// Hands the publication to the workers' inboxes. Called in the channel's order, never twice at once for a channel.
    /// - Returns: true when `origin` is among the workers and shall deliver by itself, at once: nothing of an earlier order
    ///   waits in its inbox.
    func receive(_ publication: Publication, for workers: WorkerSet, origin: UInt8?, receipt: UInt64?) -> Bool
}

/// What became of a publication at the broker.
public enum PublishOutcome: Sendable {
    /// Ordered, and on its way to `workers`.
    /// - deliverHere: what the origin must deliver by itself now.
    case published(StreamPosition, workers: WorkerSet, deliverHere: Publication?)
    /// Not taken: a worker's inbox is full.
    case overloaded
}

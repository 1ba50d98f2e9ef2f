// The seam between a node and whatever spreads publications: the memory of this process now, other nodes later. Delivery has
// one path for every broker: the broker gives a publication its position and passes it to the node, which passes it to the
// workers.
//
// Read next: MemoryBroker.swift.

public import WebSocket

/// Orders publications per channel and passes them to the node.
public protocol Broker: Sendable {
    /// Orders one publication and passes it on.
    /// - Parameters:
    ///   - frame: the encoded message.
    ///   - key: the key for conflation, see `Publication.key`.
    ///   - origin: the worker that publishes; nil for the admin API.
    ///   - receipt: returned with each worker's delivery count; nil when no count is needed.
    func publish(
        _ frame: Frame, to channel: Channel, key: String?, exclude: SubscriberID?, origin: UInt8?, receipt: UInt64?
    ) -> PublishOutcome

    /// Call when `worker` gets its first subscriber of the channel.
    func subscribe(_ worker: UInt8, to channel: Channel)
    /// Call when `worker` loses its last subscriber of the channel.
    func unsubscribe(_ worker: UInt8, from channel: Channel)
    /// The number of channels with subscribers on this node.
    var channelCount: Int { get }
}

/// The node's side of a broker.
public protocol PublicationReceiver: AnyObject, Sendable {
    /// Whether the inbox of any worker in the set is full.
    func isOverloaded(_ workers: WorkerSet) -> Bool
    /// Posts the publication to the workers' inboxes. Calls for one channel come one at a time, in the channel's order.
    /// - Returns: true when `origin` is one of the workers and must deliver the publication itself, at once, because nothing
    ///   earlier waits in its inbox.
    func receive(_ publication: Publication, for workers: WorkerSet, origin: UInt8?, receipt: UInt64?) -> Bool
}

/// The outcome of a publication at the broker.
public enum PublishOutcome: Sendable {
    /// It has its position and is on its way to `workers`.
    /// - deliverHere: the publication, if the origin must deliver it itself now.
    case published(StreamPosition, workers: WorkerSet, deliverHere: Publication?)
    /// It was refused, because a worker's inbox is full.
    case overloaded
}

// What the hub asks of a connection.

/// A member of channels. It lives on its hub's thread.
public protocol Subscriber: AnyObject {
    var subscriberID: SubscriberID { get }
    /// The channels it is in; the hub's own bookkeeping, kept here so that leaving costs no search.
    var memberships: [Membership] { get set }
    /// Queues the publication, or does what its channel's policy says. It may mark itself for closing, but must not touch the
    /// hub.
    func deliver(_ publication: Publication, _ policy: SlowConsumerPolicy) -> Delivery
}

/// What became of one publication at one subscriber.
public enum Delivery: Sendable, Equatable {
    /// In its output queue.
    case queued
    /// In its output queue, from which it has pushed this many older ones.
    case displaced(Int)
    /// Lost to its slow-consumer policy, or because it is closing.
    case dropped
}

/// One subscriber's place in one channel.
public struct Membership {
    let subscribers: Subscribers
    var index: Int

    /// The channel.
    public var channel: Channel { subscribers.channel }
}

/// The subscribers of one channel on one worker.
final class Subscribers {
    let channel: Channel
    let policy: SlowConsumerPolicy
    var list: ContiguousArray<any Subscriber> = []
    /// Its place in the hub's list of channels.
    var place = 0

    init(_ channel: Channel, policy: SlowConsumerPolicy) {
        self.channel = channel
        self.policy = policy
    }
}

// The hub's requirements of a connection, and a connection's answer to a publication.
//
// Runs on: the thread of its hub.
// Read next: Hub.swift.

/// A subscriber of channels: a connection, as its hub sees it. It lives on the hub's thread.
public protocol Subscriber: AnyObject {
    var subscriberID: SubscriberID { get }
    /// The channels that it subscribes to. Only the hub changes them; they are kept here so that leaving needs no search.
    var memberships: [Membership] { get set }
    /// Queues the publication, or applies the channel's policy. It may mark itself for closing, but must not call the hub.
    func deliver(_ publication: Publication, _ policy: SlowConsumerPolicy) -> Delivery
}

/// The outcome of one publication at one subscriber.
public enum Delivery: Sendable, Equatable {
    /// It is in the output queue.
    case queued
    /// It is in the output queue, in place of this many older ones.
    case displaced(Int)
    /// It is lost, because of the slow-consumer policy or because the connection closes.
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

/// Identifies a subscriber on any worker of this node.
public struct SubscriberID: Hashable, Sendable {
    public let worker: UInt8
    /// Unique for the life of the node.
    public let number: UInt64

    public init(worker: UInt8, number: UInt64) {
        self.worker = worker
        self.number = number
    }
}

/// The outcomes of a publication at all its subscribers, as the answer to a push reports them.
public struct DeliveryCount: Equatable, Sendable {
    /// Subscribers of the channel, without the excluded one.
    public var matched = 0
    /// Of those, the ones that have it in their output queue.
    public var queued = 0
    /// Of those, the ones that lost it.
    public var dropped = 0
    /// Older publications that still waited for slow subscribers and that it displaced.
    public var displaced = 0

    public init() {}

    public mutating func note(_ delivery: Delivery) {
        matched += 1
        switch delivery {
        case .queued: queued += 1
        case .displaced(let count):
            queued += 1
            displaced += count
        case .dropped: dropped += 1
        }
    }

    public static func += (left: inout DeliveryCount, right: DeliveryCount) {
        left.matched += right.matched
        left.queued += right.queued
        left.dropped += right.dropped
        left.displaced += right.displaced
    }
}

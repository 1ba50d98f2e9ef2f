// The subscriptions on one worker. Delivery is one append per subscriber; the cost of subscribing and unsubscribing does not
// depend on how many subscribers a channel has.
//
// Runs on: its worker's thread.
// Allocates: to subscribe and unsubscribe, never to deliver.
// Read next: Subscriber.swift.

/// The channels of one worker and their subscribers.
public final class Hub {
    /// Called when a channel gets its first subscriber here (true) and when it loses its last one (false). The worker then
    /// subscribes or unsubscribes at the broker.
    private let interestChanged: (Channel, Bool) -> Void
    /// A channel's policy for slow subscribers; called once, when the channel gets its first subscriber.
    private let policy: (Channel) -> SlowConsumerPolicy
    private var channels: [Channel: Subscribers] = [:]
    /// The same in a list, which a walk in slices goes through from its end: a channel that takes a free place there has been
    /// looked at.
    private var list: ContiguousArray<Subscribers> = []
    /// The number of subscriptions to all channels.
    public private(set) var subscriptionCount = 0

    public init(
        policy: @escaping (Channel) -> SlowConsumerPolicy = { _ in .close },
        interestChanged: @escaping (Channel, Bool) -> Void
    ) {
        self.policy = policy
        self.interestChanged = interestChanged
    }

    /// Subscribers and the lists that hold them refer to each other.
    deinit { for subscribers in channels.values { subscribers.list = [] } }

    /// Subscribes to the channel; false when the subscriber was subscribed already.
    @discardableResult
    public func subscribe(_ subscriber: any Subscriber, to channel: Channel) -> Bool {
        guard !isSubscribed(subscriber, to: channel) else { return false }
        let subscribers = channels[channel] ?? open(channel)
        subscriber.memberships.append(Membership(subscribers: subscribers, index: subscribers.list.count))
        subscribers.list.append(subscriber)
        subscriptionCount += 1
        return true
    }

    /// Unsubscribes from the channel; false when the subscriber was not subscribed.
    @discardableResult
    public func unsubscribe(_ subscriber: any Subscriber, from channel: Channel) -> Bool {
        guard let place = subscriber.memberships.firstIndex(where: { $0.channel == channel }) else { return false }
        leave(subscriber.memberships.remove(at: place))
        return true
    }

    /// Unsubscribes from all channels.
    public func unsubscribeFromAll(_ subscriber: any Subscriber) {
        let memberships = subscriber.memberships
        guard !memberships.isEmpty else { return }
        subscriber.memberships = []
        for membership in memberships { leave(membership) }
    }

    public func isSubscribed(_ subscriber: any Subscriber, to channel: Channel) -> Bool {
        subscriber.memberships.contains { $0.channel == channel }
    }

    /// Delivers the publication to every subscriber of its channel here.
    public func deliver(_ publication: Publication) -> DeliveryCount {
        var count = DeliveryCount()
        guard let subscribers = channels[publication.channel] else { return count }
        let policy = subscribers.policy
        guard let exclude = publication.exclude else {
            for subscriber in subscribers.list { count.note(subscriber.deliver(publication, policy)) }
            return count
        }
        for subscriber in subscribers.list where subscriber.subscriberID != exclude {
            count.note(subscriber.deliver(publication, policy))
        }
        return count
    }

    // MARK: Queries

    /// The number of the channel's subscribers here.
    public func count(_ channel: Channel) -> Int { channels[channel]?.list.count ?? 0 }

    /// The number of channels with subscribers here.
    public var channelCount: Int { channels.count }

    /// The channel's subscribers here.
    public func subscribers(of channel: Channel) -> ContiguousArray<any Subscriber> { channels[channel]?.list ?? [] }

    /// Channels with their subscriber counts, in byte order of their names.
    /// - Parameters:
    ///   - prefix: only channels whose name begins with it.
    ///   - after: only channels whose name comes later.
    ///   - limit: the most channels to return.
    public func page(prefix: String, after: Channel?, limit: Int) -> [(channel: Channel, subscribers: Int)] {
        var walk = beginPage(prefix: prefix, after: after, limit: limit)
        while !walk.isComplete { _ = advance(&walk, steps: .max) }
        return walk.channels
    }

    /// The same in slices: `advance` until it is complete. A channel that opens meanwhile may be missing.
    public func beginPage(prefix: String, after: Channel?, limit: Int) -> ChannelWalk {
        ChannelWalk(prefix: prefix, after: after, limit: limit, left: list.count)
    }

    /// Looks at so many more channels at most; answers at how many.
    public func advance(_ walk: inout ChannelWalk, steps: Int) -> Int {
        walk.left = min(walk.left, list.count)
        let end = walk.left - min(walk.left, steps)
        let taken = walk.left - end
        for subscribers in list[end..<walk.left].reversed() { walk.note(subscribers) }
        walk.left = end
        if walk.isComplete { walk.cut() }
        return taken
    }

    // MARK: Bookkeeping

    private func open(_ channel: Channel) -> Subscribers {
        let subscribers = Subscribers(channel, policy: policy(channel))
        channels[channel] = subscribers
        subscribers.place = list.count
        list.append(subscribers)
        interestChanged(channel, true)
        return subscribers
    }

    /// Removes the membership from its channel's list. The last subscriber of the list takes the free place.
    private func leave(_ membership: Membership) {
        let subscribers = membership.subscribers
        let last = subscribers.list.removeLast()
        if membership.index < subscribers.list.count {
            subscribers.list[membership.index] = last
            let place = last.memberships.firstIndex { $0.subscribers === subscribers }!
            last.memberships[place].index = membership.index
        }
        subscriptionCount -= 1
        if subscribers.list.isEmpty {
            channels[subscribers.channel] = nil
            let moved = list.removeLast()
            if moved !== subscribers {
                moved.place = subscribers.place
                list[moved.place] = moved
            }
            interestChanged(subscribers.channel, false)
        }
    }
}

/// A page of channels in the making.
public struct ChannelWalk {
    let prefix: String
    let after: Channel?
    let limit: Int
    /// How many channels of the hub's list are still to be looked at.
    var left: Int
    /// The channels found, in order once the list is complete.
    public private(set) var channels: [(channel: Channel, subscribers: Int)] = []

    init(prefix: String, after: Channel?, limit: Int, left: Int) {
        (self.prefix, self.after, self.limit, self.left) = (prefix, after, limit, left)
    }

    public var isComplete: Bool { left == 0 }

    mutating func note(_ subscribers: Subscribers) {
        let channel = subscribers.channel
        guard channel.name.utf8.starts(with: prefix.utf8) else { return }
        if let after, channel <= after { return }
        channels.append((channel, subscribers.list.count))
        // Cutting back at twice the limit keeps a walk over very many channels linear.
        if channels.count >= 2 * limit { cut() }
    }

    /// Sorts, and keeps the first ones; of a channel that moved while it was waited for, the first that was seen.
    mutating func cut() {
        channels.sort { $0.channel < $1.channel }
        var kept: [(channel: Channel, subscribers: Int)] = []
        for entry in channels where kept.count < limit && kept.last?.channel != entry.channel { kept.append(entry) }
        channels = kept
    }
}

// Who is subscribed to what on one worker. Delivery is one append per subscriber; joining and leaving cost the same however
// many subscribers a channel has.
//
// Runs on: its worker's thread.
// Allocates: for joining and leaving, never for delivering.

/// The channels of one worker and their subscribers.
public final class Hub {
    /// Called when a channel gets its first subscriber here (true) or has lost its last one (false): when the worker
    /// subscribes at the broker, and unsubscribes.
    private let interestChanged: (Channel, Bool) -> Void
    /// A channel's rule for subscribers that are too slow; asked for once, when the channel gets its first subscriber.
    private let policy: (Channel) -> SlowConsumerPolicy
    private var channels: [Channel: Subscribers] = [:]
    /// Subscriptions in all.
    public private(set) var subscriptionCount = 0

    public init(
        policy: @escaping (Channel) -> SlowConsumerPolicy = { _ in .close },
        interestChanged: @escaping (Channel, Bool) -> Void
    ) {
        self.policy = policy
        self.interestChanged = interestChanged
    }

    /// Subscribers and the lists that they are in know each other.
    deinit { for subscribers in channels.values { subscribers.list = [] } }

    /// Adds the subscriber to the channel; false when it was in it already.
    @discardableResult
    public func subscribe(_ subscriber: any Subscriber, to channel: Channel) -> Bool {
        guard !isSubscribed(subscriber, to: channel) else { return false }
        let subscribers = channels[channel] ?? open(channel)
        subscriber.memberships.append(Membership(subscribers: subscribers, index: subscribers.list.count))
        subscribers.list.append(subscriber)
        subscriptionCount += 1
        return true
    }

    /// Takes the subscriber out of the channel; false when it was not in it.
    @discardableResult
    public func unsubscribe(_ subscriber: any Subscriber, from channel: Channel) -> Bool {
        guard let place = subscriber.memberships.firstIndex(where: { $0.channel == channel }) else { return false }
        leave(subscriber.memberships.remove(at: place))
        return true
    }

    /// Takes the subscriber out of all its channels.
    public func unsubscribeFromAll(_ subscriber: any Subscriber) {
        let memberships = subscriber.memberships
        guard !memberships.isEmpty else { return }
        subscriber.memberships = []
        for membership in memberships { leave(membership) }
    }

    public func isSubscribed(_ subscriber: any Subscriber, to channel: Channel) -> Bool {
        subscriber.memberships.contains { $0.channel == channel }
    }

    /// Hands the publication to every subscriber of its channel here.
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

    // MARK: Looking

    /// How many subscribers the channel has here.
    public func count(_ channel: Channel) -> Int { channels[channel]?.list.count ?? 0 }

    /// How many channels have subscribers here.
    public var channelCount: Int { channels.count }

    /// The channel's subscribers here.
    public func subscribers(of channel: Channel) -> ContiguousArray<any Subscriber> { channels[channel]?.list ?? [] }

    /// Channels with their subscriber counts, in byte order of their names.
    /// - Parameters:
    ///   - prefix: only those whose name begins so.
    ///   - after: only those whose name comes later.
    ///   - limit: at most so many.
    public func page(prefix: String, after: Channel?, limit: Int) -> [(channel: Channel, subscribers: Int)] {
        var page: [(channel: Channel, subscribers: Int)] = []
        for (channel, subscribers) in channels where channel.name.utf8.starts(with: prefix.utf8) {
            if let after, channel <= after { continue }
            page.append((channel, subscribers.list.count))
            // Cutting back at twice the limit keeps a walk over very many channels linear.
            if page.count >= 2 * limit { Self.cut(&page, to: limit) }
        }
        Self.cut(&page, to: limit)
        return page
    }

    private static func cut(_ page: inout [(channel: Channel, subscribers: Int)], to limit: Int) {
        page.sort { $0.channel < $1.channel }
        page.removeLast(max(0, page.count - limit))
    }

    // MARK: Bookkeeping

    private func open(_ channel: Channel) -> Subscribers {
        let subscribers = Subscribers(channel, policy: policy(channel))
        channels[channel] = subscribers
        interestChanged(channel, true)
        return subscribers
    }

    /// The last of the list takes the free place.
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
            interestChanged(subscribers.channel, false)
        }
    }
}

// A subscriber that keeps what it is delivered.

import PubSub

final class RecordingSubscriber: Subscriber {
    let subscriberID: SubscriberID
    var memberships: [Membership] = []
    var received: [Publication] = []
    var answer = Delivery.queued
    var policies: [SlowConsumerPolicy] = []

    init(_ number: UInt64, worker: UInt8 = 0) { subscriberID = SubscriberID(worker: worker, number: number) }

    func deliver(_ publication: Publication, _ policy: SlowConsumerPolicy) -> Delivery {
        received.append(publication)
        policies.append(policy)
        return answer
    }

    /// The names of its channels, sorted.
    var channels: [String] { memberships.map(\.channel.name).sorted() }
}

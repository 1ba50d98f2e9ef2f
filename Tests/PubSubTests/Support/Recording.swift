// Both ends of a publication's way, recorded: the node's threads as the fan-out sees them, and a subscriber.

import PubSub
import Synchronization

final class RecordingReceiver: PublicationReceiver {
    struct Handed: Sendable {
        let publication: Publication
        let workers: WorkerSet
        let origin: PublishingThread
        let receipt: UInt64?
    }

    private let state = Mutex<[Handed]>([])
    private let overloaded = Mutex<Set<UInt8>>([])
    private let given = Mutex<[(asker: Asker, answer: BrokerAnswer)]>([])

    var handed: [Handed] { state.withLock { $0 } }
    var answers: [(asker: Asker, answer: BrokerAnswer)] { given.withLock { $0 } }

    /// Sets the workers whose inboxes are full from now on.
    func overload(_ workers: Set<UInt8>) { overloaded.withLock { $0 = workers } }

    func isOverloaded(_ workers: WorkerSet) -> Bool {
        overloaded.withLock { $0.contains { workers.contains($0) } }
    }

    func receive(
        _ publication: Publication, for workers: WorkerSet, from origin: PublishingThread, receipt: UInt64?
    ) -> Bool {
        state.withLock {
            $0.append(Handed(publication: publication, workers: workers, origin: origin, receipt: receipt))
        }
        guard case .worker(let worker) = origin else { return false }
        return workers.contains(worker)
    }

    func answer(_ answer: BrokerAnswer, to asker: Asker) { given.withLock { $0.append((asker, answer)) } }
}

/// A broker that only notes what the fan-out tells it.
final class RecordingBroker: Broker {
    private let heard = Mutex<[String]>([])

    /// `+news` for a subscription of the node, `-news` for its end, in order.
    var calls: [String] { heard.withLock { $0 } }

    func publish(_ draft: Draft, from asker: Asker) -> PublishOutcome { .refused(.unavailable(retryAfter: 1)) }
    func join(_ channel: Channel, _ wish: JoinWish, for asker: Asker) {}
    func history(_ channel: Channel, _ query: HistoryQuery, for asker: Asker) {}
    func clear(_ channel: Channel, for asker: Asker) {}
    func subscribe(to channel: Channel) { heard.withLock { $0.append("+\(channel)") } }
    func unsubscribe(from channel: Channel) { heard.withLock { $0.append("-\(channel)") } }
}

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

extension ChannelRules {
    /// Every channel keeps so many publications.
    static func keeping(
        _ size: Int, age: UInt64 = 300_000, _ change: (inout ChannelOptions) -> Void = { _ in }
    ) -> ChannelRules {
        var options = ChannelOptions()
        options.history.size = size
        options.history.age = age
        change(&options)
        return ChannelRules([Rule(ChannelPattern("*")!, options)])
    }
}

// Both ends of a publication's way, recorded: the node's side of a broker, and a subscriber.

import PubSub
import Synchronization

final class RecordingReceiver: PublicationReceiver {
    struct Handed: Sendable {
        let publication: Publication
        let workers: WorkerSet
        let origin: UInt8?
        let receipt: UInt64?
    }

    private let state = Mutex<[Handed]>([])
    private let overloaded = Mutex<Set<UInt8>>([])

    var handed: [Handed] { state.withLock { $0 } }

    /// Sets the workers whose inboxes are full from now on.
    func overload(_ workers: Set<UInt8>) { overloaded.withLock { $0 = workers } }

    func isOverloaded(_ workers: WorkerSet) -> Bool {
        overloaded.withLock { $0.contains { workers.contains($0) } }
    }

    func receive(_ publication: Publication, for workers: WorkerSet, origin: UInt8?, receipt: UInt64?) -> Bool {
        state.withLock {
            $0.append(Handed(publication: publication, workers: workers, origin: origin, receipt: receipt))
        }
        return origin.map { workers.contains($0) } ?? false
    }
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

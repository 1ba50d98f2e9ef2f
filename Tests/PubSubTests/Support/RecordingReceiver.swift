// The node's side of a broker, which keeps what it is handed.

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

    /// Says which workers can take no more from here on.
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

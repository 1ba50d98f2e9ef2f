// The work that a turn has left over because its slice was used up. The connections, the timers, the spawned functions, the
// ended waits and the questions of backends stand in one rotation: each goes on when it is at the front, in its own order, and
// to the back when the slice is used up again. Connections that have not used a slice up themselves stand in a second, shorter
// one; the two take turns.
//
// Runs on: the worker's thread. Allocates: when more waits than ever before.
// Read next: Rotation.swift.

import DequeModule
import EventLoop
import Scripting

/// A wait that has ended.
enum EndedWait {
    case answered(WaitTicket, WaitAnswer)
    /// The event's time is up.
    case timedOut(ScriptTask)
    /// The server ends it.
    case cancelled(ScriptTask)
}

/// A question of a backend that is to be asked.
enum DeferredQuestion {
    case publish(PublishQuestion, order: String)
    /// The push of this order that has waited for longest, since the one before it is answered.
    case next(order: String)
    case request(ScriptQuestion, script: String, reply: Reply<ScriptAnswer>)

    /// The place of the answer, if this is a question of its own.
    var reply: Reply<ScriptAnswer>? {
        switch self {
        case .publish(let asked, _): asked.reply
        case .next: nil
        case .request(_, _, let reply): reply
        }
    }
}

/// A rotation of sources, and the work that waits at each.
struct DeferredWork {
    /// A source of work.
    enum Source: Equatable {
        case connection(ConnectionHandle)
        case timers
        case spawned
        case waits
        case questions
    }

    private struct Place {
        let source: Source
        /// When the source began to have work left over, in milliseconds of the loop's clock.
        let since: UInt64
    }

    /// Sources that are there once at most, however much waits there.
    private struct Shared: OptionSet {
        let rawValue: UInt8
        static let timers = Shared(rawValue: 1)
        static let spawned = Shared(rawValue: 2)
        static let waits = Shared(rawValue: 4)
        static let questions = Shared(rawValue: 8)
    }

    private var rotation: Deque<Place> = []
    /// Connections that wait because others have used the slice up.
    private var favoured: Deque<Place> = []
    /// Whether the last visit was to a favoured one.
    private var hasFavoured = false
    private var shared: Shared = []
    private var visited: Place?
    private(set) var timers: Deque<DueTimer> = []
    private(set) var waits: Deque<EndedWait> = []
    private(set) var questions: Deque<DeferredQuestion> = []

    var isEmpty: Bool { rotation.isEmpty && favoured.isEmpty }

    /// How many sources wait for their turn.
    var sourceCount: Int { rotation.count + favoured.count }

    /// Connections whose input waits.
    var connectionCount: Int { sourceCount - shared.rawValue.nonzeroBitCount + (isVisitingShared ? 1 : 0) }

    private var isVisitingShared: Bool {
        guard let visited else { return false }
        if case .connection = visited.source { return false }
        return true
    }

    /// Since when the source that has waited for longest has had work; nil without any.
    var oldest: UInt64? { [rotation, favoured].lazy.compactMap { $0.lazy.map(\.since).min() }.min() }

    // MARK: Adding

    mutating func append(_ timer: DueTimer, at now: UInt64) {
        timers.append(timer)
        join(.timers, .timers, at: now)
    }

    mutating func append(_ wait: EndedWait, at now: UInt64) {
        waits.append(wait)
        join(.waits, .waits, at: now)
    }

    mutating func append(_ question: DeferredQuestion, at now: UInt64) {
        questions.append(question)
        join(.questions, .questions, at: now)
    }

    /// Functions of `server.spawn` are left over.
    mutating func appendSpawned(at now: UInt64) { join(.spawned, .spawned, at: now) }

    /// The connection is in no place of the rotation yet.
    /// - Parameter isFavoured: whether it waits because others have used the slice up.
    mutating func append(_ connection: ConnectionHandle, at now: UInt64, isFavoured: Bool = false) {
        let source = Source.connection(connection)
        let isVisited = visited?.source == source
        let place = Place(source: source, since: isVisited ? visited?.since ?? now : now)
        if isFavoured { favoured.append(place) } else { rotation.append(place) }
    }

    private mutating func join(_ source: Source, _ bit: Shared, at now: UInt64) {
        guard !shared.contains(bit) else { return }
        shared.insert(bit)
        rotation.append(Place(source: source, since: now))
    }

    // MARK: Taking

    /// The source whose turn it is, until `endVisit`.
    mutating func beginVisit() -> Source? {
        let isFavoured = !favoured.isEmpty && (!hasFavoured || rotation.isEmpty)
        visited = isFavoured ? favoured.popFirst() : rotation.popFirst()
        hasFavoured = isFavoured
        return visited?.source
    }

    /// The source has had its turn.
    /// - Parameter hasMore: of a shared source, whether work is left; a connection has said so itself.
    mutating func endVisit(hasMore: Bool) {
        guard let place = visited else { return }
        visited = nil
        let bit: Shared
        switch place.source {
        case .connection: return
        case .timers: bit = .timers
        case .spawned: bit = .spawned
        case .waits: bit = .waits
        case .questions: bit = .questions
        }
        if hasMore { rotation.append(place) } else { shared.remove(bit) }
    }

    mutating func nextTimer() -> DueTimer? { timers.popFirst() }
    mutating func nextWait() -> EndedWait? { waits.popFirst() }
    mutating func nextQuestion() -> DeferredQuestion? { questions.popFirst() }
}

// The handlers of a worker that wait. The table has, for each, its operation, the source of its event, and the end of its time. The
// script engine has the handlers themselves.
//
// Runs on: the worker's thread.
// Allocates: an entry for each handler that waits.
// Read next: Resumptions.swift.

import EventLoop
import HTTPClient
import Scripting

/// The events that wait, by their tasks.
final class WaitingHandlers {
    /// The operation whose end the handler waits for.
    enum Operation {
        case sleep(TimerID)
        case request(RequestID)
    }

    /// An event that has ended.
    struct Ended {
        /// The connection that it was about.
        let connection: ClientConnection?
        /// The question that it answers.
        let question: WaitingQuestion?
        /// The repeating timer whose function it was.
        let timer: Int32?
    }

    private struct Event {
        /// Kept until the event has ended.
        var connection: ClientConnection?
        /// The operation that runs, and the wait that its end is the end of.
        var wait: (ticket: WaitTicket, operation: Operation)?
        var question: WaitingQuestion?
        var timer: Int32?
        /// When its time is up.
        var deadline: TimerID?
        /// Whether its time is up and it has not been told yet.
        var isLate = false
        /// Whether it is to be cancelled when its turn comes.
        var isCancelled = false
    }

    private unowned let loop: EventLoop
    private let requests: OutgoingRequests
    private let timeLimit: UInt64
    private let timeIsUp: (ScriptTask) -> Void
    private var events: [ScriptTask: Event] = [:]

    /// - Parameters:
    ///   - timeLimit: milliseconds that an event may take, `scripts.eventTimeout`.
    ///   - timeIsUp: called when an event has taken them.
    init(
        on loop: EventLoop, _ requests: OutgoingRequests, timeLimit: UInt64, timeIsUp: @escaping (ScriptTask) -> Void
    ) {
        self.loop = loop
        self.requests = requests
        self.timeLimit = timeLimit
        self.timeIsUp = timeIsUp
    }

    /// Whether no event waits.
    var isEmpty: Bool { events.isEmpty }

    /// The events that wait.
    var tasks: [ScriptTask] { Array(events.keys) }

    /// Whether an operation runs for the event.
    func hasOperation(_ task: ScriptTask) -> Bool { events[task]?.wait != nil }

    // MARK: Events

    /// An event waits that has begun just now.
    /// - Parameters:
    ///   - connection: the one that the event is about, kept until the event has ended.
    ///   - isLimited: whether its time is limited.
    func add(_ task: ScriptTask, on connection: ClientConnection?, isLimited: Bool) {
        events[task, default: Event()].connection = connection
        if isLimited { limit(task) }
    }

    /// Limits the time of an event, which begins now unless it has begun already.
    func limit(_ task: ScriptTask) {
        guard events[task]?.deadline == nil else { return }
        var deadline: TimerID?
        deadline = loop.schedule(after: timeLimit) { [unowned self] in
            // The event may have ended in this turn, and another have taken its number.
            guard events[task]?.deadline == deadline else { return }
            events[task]?.deadline = nil
            events[task]?.isLate = true
            timeIsUp(task)
        }
        events[task]?.deadline = deadline
    }

    /// The event answers a question.
    func note(_ question: WaitingQuestion, of task: ScriptTask) { events[task]?.question = question }

    /// The event is the function of a repeating timer.
    func note(timer: Int32, of task: ScriptTask) { events[task]?.timer = timer }

    /// Takes the questions of all events: no backend waits for their answers any more.
    func takeQuestions() -> [WaitingQuestion] {
        tasks.compactMap { task in
            defer { events[task]?.question = nil }
            return events[task]?.question
        }
    }

    /// The event is to be cancelled when its turn comes.
    func markCancelled(_ task: ScriptTask) { events[task]?.isCancelled = true }

    /// Whether the event is to be cancelled. Its number may be another event's by now.
    func isCancelled(_ task: ScriptTask) -> Bool { events[task]?.isCancelled == true }

    /// Whether the event is to be told that its time is up; true once. Its number may be another event's by now.
    func takeLateness(of task: ScriptTask) -> Bool {
        guard events[task]?.isLate == true else { return false }
        events[task]?.isLate = false
        return true
    }

    /// Forgets an event that has ended.
    func remove(_ task: ScriptTask) -> Ended? {
        guard let event = events.removeValue(forKey: task) else { return nil }
        if let deadline = event.deadline { loop.cancel(deadline) }
        return Ended(connection: event.connection, question: event.question, timer: event.timer)
    }

    // MARK: Operations

    /// A wait begins; notes its operation.
    func begin(_ operation: Operation, of ticket: WaitTicket) {
        events[ticket.task, default: Event()].wait = (ticket, operation)
    }

    /// An operation is over; whether its event waits for it. The end of an operation that was cancelled meanwhile
    /// belongs to no event: its event may have ended in this turn, and another one may have taken its number.
    func end(_ ticket: WaitTicket) -> Bool {
        guard events[ticket.task]?.wait?.ticket == ticket else { return false }
        events[ticket.task]?.wait = nil
        return true
    }

    /// Ends the operation that runs for an event, if there is one.
    func cancelOperation(of task: ScriptTask) {
        switch events[task]?.wait?.operation {
        case .sleep(let timer): loop.cancel(timer)
        case .request(let request): requests.cancel(request)
        case nil: break
        }
        events[task]?.wait = nil
    }
}

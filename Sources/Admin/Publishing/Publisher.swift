// Pushes on their way to the workers, and the outcome that the answer tells.
//
// Pushes of one connection run beside each other. They keep their order at every subscriber because a push enters the workers'
// inboxes, or the broker, when it begins. Where scripts are asked first, a connection's pushes run one after the other, and the
// pushes of all connections go through one queue per channel, user or connection.
//
// Runs on: the admin thread.
// Allocates: per push its frame, a closure and the answer.
// Read next: PushAnswer.swift, PublishFilter.swift, ../Questions.swift, PubSub/Broker.swift.

import Gateway
import PubSub
import WebSocket

/// Publishes and sends the pushes of backends, and answers when the workers have queued them.
final class Publisher {
    private typealias Finish = (Result<PushOutcome, AdminError>) -> Void

    private let node: Node
    private let questions: Questions
    private let filter: PublishFilter

    init(node: Node, questions: Questions) {
        self.node = node
        self.questions = questions
        filter = PublishFilter(node: node, questions: questions)
    }

    /// Whether the thread ends as soon as every request is answered: a script that has not replied then is not late.
    var isStopping: Bool {
        get { filter.isStopping }
        set { filter.isStopping = newValue }
    }

    /// Whether scripts are asked. One may take its time, and may send a push elsewhere: the pushes of one sender then run one after
    /// the other, so that none overtakes another anywhere.
    var asksScripts: Bool { filter.mustAskSome }

    /// Pushes, and answers when the workers have queued it.
    func push(_ push: Push, then answer: @escaping (PushAnswer) -> Void) {
        switch push.target {
        case .channels(let channels, let isList): publish(push, to: channels, isList, answer)
        case .audience(let audience): send(push.frame, to: audience) { answer(PushAnswer(one: $0)) }
        }
    }

    // MARK: Channels

    private func publish(
        _ push: Push, to channels: [Channel], _ isList: Bool, _ answer: @escaping (PushAnswer) -> Void
    ) {
        if !isList, let channel = channels.first {
            return publish(push, to: channel) { answer(PushAnswer(one: $0)) }
        }
        let asksScripts = channels.contains { filter.mustAsk(order: $0.name) }
        if asksScripts { publishNext(push, channels[...], [], answer) } else { publishAll(push, to: channels, answer) }
    }

    /// One channel after the other: those behind a channel that is refused get nothing.
    private func publishNext(
        _ push: Push, _ channels: ArraySlice<Channel>, _ outcomes: [PushOutcome],
        _ answer: @escaping (PushAnswer) -> Void
    ) {
        guard let channel = channels.first else { return answer(.list(outcomes)) }
        publish(push, to: channel) { [unowned self] outcome in
            switch outcome {
            case .success(let outcome): publishNext(push, channels.dropFirst(), outcomes + [outcome], answer)
            case .failure(let error): answer(.failed(error, mayBePushed: !outcomes.isEmpty || error.mayBePushed))
            }
        }
    }

    /// All channels at once, each with a receipt of its own.
    private func publishAll(_ push: Push, to channels: [Channel], _ answer: @escaping (PushAnswer) -> Void) {
        var outcomes = [PushOutcome?](repeating: nil, count: channels.count)
        var awaited = channels.count
        var hasFailed = false
        for (index, channel) in channels.enumerated() {
            publishNow(push, to: channel) { outcome in
                guard !hasFailed else { return }
                switch outcome {
                case .success(let outcome):
                    outcomes[index] = outcome
                    awaited -= 1
                    if awaited == 0 { answer(.list(outcomes.compactMap(\.self))) }
                case .failure(let error):
                    hasFailed = true
                    answer(.failed(error, mayBePushed: channels.count > 1 && index > 0 || error.mayBePushed))
                }
            }
            // After a refusal, the other channels get nothing.
            if hasFailed { return }
        }
    }

    private func publish(_ push: Push, to channel: Channel, then finish: @escaping Finish) {
        guard filter.mustAsk(order: channel.name) else { return publishNow(push, to: channel, then: finish) }
        var target = [(name: "channel", value: channel.name)]
        if let exclude = push.exclude { target.append(("exclude", exclude.text)) }
        let draft = PushDraft(frame: push.frame, channel: channel, key: push.key)
        filter.ask(draft, target, order: channel.name) { [unowned self] result in
            switch result {
            case .success(let changed):
                let push = Push(
                    frame: changed.frame, target: push.target, key: changed.key, exclude: push.exclude,
                    keepsHistory: push.keepsHistory)
                publishNow(push, to: changed.channel ?? channel, then: finish)
            case .failure(let error):
                finish(.failure(error))
            }
        }
    }

    private func publishNow(_ push: Push, to channel: Channel, then finish: @escaping Finish) {
        let receipt = questions.nextTicket()
        let draft = Draft(
            channel: channel, frame: push.frame, key: push.key, exclude: push.exclude?.subscriber, origin: .admin,
            receipt: receipt, keepsHistory: push.keepsHistory)
        switch node.broker.publish(draft, from: .admin(ticket: receipt)) {
        case .ordered(let position, let workers, _):
            questions.awaitDeliveries(receipt, from: workers.count) { [unowned self] end in
                finish(.success(outcome(of: receipt, end, channel, position)))
            }
        case .accepted(let patience):
            questions.awaitBroker(receipt, patience: patience) { [unowned self] end in
                switch end.brokerAnswer {
                case .published(let position, _): finish(.success(outcome(of: receipt, end, channel, position)))
                case .failed(let failure): finish(.failure(AdminError(failure)))
                case .joined, .history, .cleared, nil: finish(.failure(.publishOutcomeUnknown))
                }
            }
        case .refused(let failure): finish(.failure(AdminError(failure)))
        }
    }

    // MARK: Connections

    private func send(_ frame: Frame, to audience: Audience, then finish: @escaping Finish) {
        if case .connection(let id) = audience, id.node != node.number || Int(id.worker) >= node.workers.count {
            return finish(.failure(.connectionNotFound))
        }
        guard filter.mustAskSome else { return sendNow(frame, to: audience, then: finish) }
        let target = audience.target
        let order = target.map { "\($0.name) \($0.value)" } ?? ""
        guard filter.mustAsk(order: order) else { return sendNow(frame, to: audience, then: finish) }
        filter.ask(PushDraft(frame: frame), target.map { [$0] } ?? [], order: order) { [unowned self] result in
            switch result {
            case .success(let changed): sendNow(changed.frame, to: audience, then: finish)
            case .failure(let error): finish(.failure(error))
            }
        }
    }

    private func sendNow(_ frame: Frame, to audience: Audience, then finish: @escaping Finish) {
        if case .connection(let id) = audience { return sendNow(frame, to: id, then: finish) }
        let receipt = questions.nextTicket()
        let all = 0..<node.workers.count
        let reached = all.count { node.workers.send(frame, to: audience, on: $0, receipt: receipt) }
        guard reached > 0 else { return finish(.failure(.overloaded)) }
        questions.awaitDeliveries(receipt, from: all.count) { [unowned self] end in
            finish(.success(outcome(of: receipt, end)))
        }
    }

    private func sendNow(_ frame: Frame, to id: ConnectionID, then finish: @escaping Finish) {
        let receipt = questions.nextTicket()
        guard node.workers.send(frame, to: .connection(id), on: Int(id.worker), receipt: receipt) else {
            return finish(.failure(.overloaded))
        }
        questions.awaitDeliveries(receipt, from: 1) { [unowned self] end in
            if end.isComplete && end.count.matched == 0 { return finish(.failure(.connectionNotFound)) }
            finish(.success(outcome(of: receipt, end)))
        }
    }

    private func outcome(
        of receipt: UInt64, _ end: EndOfWait, _ channel: Channel? = nil, _ position: StreamPosition? = nil
    ) -> PushOutcome {
        PushOutcome(
            id: id(of: receipt), channel: channel, position: position, count: end.count, isComplete: end.isComplete,
            version: node.liveVersion)
    }

    /// Unique for the node's life, and different from another life's.
    private func id(of receipt: UInt64) -> String {
        Base32.text(of: UInt64(node.number) << 48 | UInt64(node.startedAt & 0xFFFF) << 32 | receipt)
    }
}

extension Audience {
    /// The audience as a field of the publication that onPublish sees; nil for everyone.
    fileprivate var target: (name: String, value: String)? {
        switch self {
        case .connection(let id): ("connection", id.text)
        case .user(let user): ("user", user)
        case .path(let path): ("path", path)
        case .everyone: nil
        }
    }
}

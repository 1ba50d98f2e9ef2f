// A broker that answers later, as one on another machine does: it takes a publication at once, orders it on a thread of its own,
// delivers it from there, and then answers.

import EventLoop
import PerigeeTestKit
import PubSub
import Synchronization
import Testing

/// A broker with a thread, whose failures a test chooses.
final class LateBroker: Broker {
    /// Its way with the publications that come from now on.
    struct Conduct: Sendable {
        /// Refuses them at once.
        var refusal: BrokerFailure?
        /// Takes them, and fails them later.
        var failure: BrokerFailure?
        /// Keeps its answers until `release`.
        var holdsAnswers = false
        /// Milliseconds that it claims for an answer.
        var patience: UInt64 = 60_000
    }

    private enum Order: Sendable {
        case publish(Draft, Asker, Conduct)
        case release
        case end
    }

    static let epoch: UInt64 = 0x5EED

    private let fanout: LocalFanout
    private let inbox = Inbox<Order>()
    private let conduct = Mutex(Conduct())
    private let heard = Mutex<[String]>([])
    private let thread: LoopThread

    init(fanout: LocalFanout) {
        self.fanout = fanout
        thread = LoopThread(name: "late-broker") { [inbox] in LateBroker.run(inbox, fanout) }
    }

    /// Ends the thread.
    func end() {
        inbox.post(.end)
        thread.join()
    }

    func behave(_ change: (inout Conduct) -> Void) { conduct.withLock { change(&$0) } }

    /// Gives the answers that are held, in order.
    func release() { inbox.post(.release) }

    /// `+news` for a subscription of the node, `-news` for its end, in order.
    var calls: [String] { heard.withLock { $0 } }

    // MARK: The seam

    func publish(_ draft: Draft, from asker: Asker) -> PublishOutcome {
        let conduct = conduct.withLock { $0 }
        if let refusal = conduct.refusal { return .refused(refusal) }
        inbox.post(.publish(draft, asker, conduct))
        return .accepted(patience: conduct.patience)
    }

    func join(_ channel: Channel, _ wish: JoinWish, for asker: Asker) { fanout.answer(asker, .joined(JoinResult())) }
    func history(_ channel: Channel, _ query: HistoryQuery, for asker: Asker) {
        fanout.answer(asker, .history(HistoryPage()))
    }
    func clear(_ channel: Channel, for asker: Asker) { fanout.answer(asker, .cleared(count: 0, position: nil)) }

    func subscribe(to channel: Channel) { heard.withLock { $0.append("+\(channel)") } }
    func unsubscribe(from channel: Channel) { heard.withLock { $0.append("-\(channel)") } }

    // MARK: The thread

    private static func run(_ inbox: Inbox<Order>, _ fanout: LocalFanout) {
        var offsets: [Channel: UInt64] = [:]
        var held: [(asker: Asker, answer: BrokerAnswer)] = []
        while true {
            for order in inbox.wait() {
                switch order {
                case .publish(let draft, let asker, let conduct):
                    let answer: BrokerAnswer
                    if let failure = conduct.failure {
                        answer = .failed(failure)
                    } else {
                        offsets[draft.channel, default: 0] += 1
                        let position = StreamPosition(offset: offsets[draft.channel]!, epoch: epoch)
                        let publication = Publication(draft, at: position)
                        answer = .published(position, workers: fanout.received(publication, receipt: draft.receipt))
                    }
                    if conduct.holdsAnswers { held.append((asker, answer)) } else { fanout.answer(asker, answer) }
                case .release:
                    for (asker, answer) in held { fanout.answer(asker, answer) }
                    held = []
                case .end: return
                }
            }
        }
    }
}

/// A whole server whose broker is a ``LateBroker``.
func withLateBroker(_ script: String, _ body: (TestServer, LateBroker) throws -> Void) throws {
    var broker: LateBroker?
    defer { broker?.end() }
    try withServer(
        scripts: ["main.lua": script],
        broker: { fanout in
            let made = LateBroker(fanout: fanout)
            broker = made
            return made
        }
    ) { server in
        try body(server, #require(broker))
    }
}

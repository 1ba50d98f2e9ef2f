// What channels keep, through the API: a channel's position and figures, its messages in pages, and their end. The broker answers
// by ticket, in the channel's order.
//
// Runs on: the admin thread.
// Read next: Questions.swift, PubSub/Joining.swift.

import Gateway
import HTTP1
import JSON
import PubSub
import WebSocket

extension AdminServer {
    /// One channel: its subscribers, and what it keeps.
    func describeChannel(_ call: AdminCall) throws(AdminError) {
        let channel = try call.channel()
        askHistory(channel, HistoryQuery(limit: 0), call) { [unowned self] page in
            questions.askAll { (worker: Worker) in
                worker.subscriberCount(of: channel)
            } then: { answers in
                guard answers.isComplete else { return call.fail(.overloaded) }
                call.answer(
                    200,
                    JSONOutput.object { members in
                        members.add("channel", channel.name)
                        members.add("subscribers", answers.all.reduce(0, +))
                        members.add(page.position)
                        members.member("history") {
                            $0.add("messages", page.count)
                            $0.add("bytes", page.byteCount)
                        }
                    })
            }
        }
    }

    /// A page of a channel's messages.
    func listMessages(_ call: AdminCall) throws(AdminError) {
        let channel = try call.channel()
        var query = HistoryQuery(limit: try call.limit())
        switch call.query.first("reverse") {
        case "true": query.isReversed = true
        case "false", nil: break
        case .some: throw AdminError.parameterInvalid.saying("reverse is true or false")
        }
        var epoch: UInt64?
        if let text = call.query.first("epoch") {
            guard let number = Base32.number(of: text) else {
                throw AdminError.parameterInvalid.saying("epoch is the epoch of an answer of this API")
            }
            epoch = number
        }
        if let text = call.query.first("since") {
            guard let offset = UInt64(text) else { throw AdminError.parameterInvalid.saying("since is an offset") }
            query.since = RecoveryPlace(offset: offset, epoch: epoch)
        } else if epoch != nil {
            throw AdminError.parameterInvalid.saying("epoch goes with since")
        }
        askHistory(channel, query, call) { page in
            call.answer(
                200,
                JSONOutput.object { members in
                    members.list("items", page.items) { $0.write(to: &$1) }
                    members.addJSON("next", page.hasMore ? "\(page.items.last?.offset ?? 0)" : "null")
                    members.add(page.position)
                    if let why = page.why { members.add("why", why.rawValue) }
                })
        }
    }

    /// Forgets a channel's messages.
    func clearMessages(_ call: AdminCall) throws(AdminError) {
        let channel = try call.channel()
        let ticket = questions.nextTicket()
        node.broker.clear(channel, for: .admin(ticket: ticket))
        questions.awaitBroker(ticket, patience: Questions.patience) { end in
            guard case .cleared(let count, let position)? = end.brokerAnswer else {
                return call.fail(end.brokerFailure)
            }
            call.answer(
                200,
                JSONOutput.object { members in
                    members.add("channel", channel.name)
                    members.add("cleared", count)
                    members.add(position)
                })
        }
    }

    private func askHistory(
        _ channel: Channel, _ query: HistoryQuery, _ call: AdminCall, then finish: @escaping (HistoryPage) -> Void
    ) {
        let ticket = questions.nextTicket()
        node.broker.history(channel, query, for: .admin(ticket: ticket))
        questions.awaitBroker(ticket, patience: Questions.patience) { end in
            guard case .history(let page)? = end.brokerAnswer else { return call.fail(end.brokerFailure) }
            finish(page)
        }
    }
}

extension EndOfWait {
    /// The reason why the broker has not answered what it was asked.
    fileprivate var brokerFailure: AdminError {
        if case .failed(let failure)? = brokerAnswer { AdminError(failure) } else { .overloaded }
    }
}

extension HistoryPage.Item {
    fileprivate var offset: UInt64 { publication.position?.offset ?? 0 }

    fileprivate func write(to members: inout JSONOutput.Members) {
        members.add("offset", offset)
        members.add("at", at / 1_000)
        let frame = publication.frame
        if frame.isBinary {
            members.add("dataBase64", Base64.encode(Array(frame.payload)))
        } else {
            members.add("data", String(decoding: frame.payload, as: UTF8.self))
        }
        if let key = publication.key { members.add("key", key) }
    }
}

extension JSONOutput.Members {
    /// A channel's position, where it has one.
    mutating func add(_ position: StreamPosition?) {
        guard let position else { return }
        add("offset", position.offset)
        add("epoch", Base32.text(of: position.epoch))
    }
}

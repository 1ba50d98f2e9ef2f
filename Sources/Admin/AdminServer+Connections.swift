// Connections and channels through the API: lists in pages, one connection, and its end.
//
// Runs on: the admin thread; the closures of questions run on the workers' threads.
// Read next: Questions.swift, Gateway/Worker/Listings.swift.

import Gateway
import HTTP1
import JSON
import PubSub
import WebSocket

/// The `next` of one page of connections and the `cursor` of the page after it: a worker and a slot of its table, "1-2f".
struct ConnectionCursor: Equatable {
    let worker: Int
    let slot: UInt32

    init(worker: Int, slot: UInt32) {
        self.worker = worker
        self.slot = slot
    }

    /// Nil for anything that is not the text of a cursor.
    init?(_ text: String) {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false).map { UInt32($0, radix: 36) }
        guard parts.count == 2, let worker = parts[0], let slot = parts[1] else { return nil }
        self.init(worker: Int(worker), slot: slot)
        guard self.text == text else { return nil }
    }

    var text: String { String(worker, radix: 36) + "-" + String(slot, radix: 36) }
}

extension AdminServer {
    // MARK: Connections

    func listConnections(_ call: AdminCall) throws(AdminError) {
        var query = ConnectionQuery(limit: try call.limit())
        if let name = call.query.first("channel") {
            guard let channel = Channel(name) else { throw .channelNameInvalid }
            query.channel = channel
        }
        query.user = call.query.first("user")
        query.path = call.query.first("path")
        var worker = 0
        if let text = call.query.first("cursor") {
            guard let cursor = ConnectionCursor(text), cursor.worker < node.workers.count else {
                throw .cursorInvalid
            }
            worker = cursor.worker
            query.firstSlot = cursor.slot
        }
        listConnections(call, query, from: worker, [])
    }

    /// Goes from worker to worker until the page is full.
    private func listConnections(
        _ call: AdminCall, _ query: ConnectionQuery, from worker: Int, _ found: [ConnectionSummary]
    ) {
        guard worker < node.workers.count else { return answer(call, found, next: nil) }
        var rest = query
        rest.limit = query.limit - found.count
        guard rest.limit > 0 else {
            return answer(call, found, next: ConnectionCursor(worker: worker, slot: query.firstSlot))
        }
        questions.ask(worker) { [rest] in
            ConnectionPage(rest, of: $0)
        } then: { [unowned self] page in
            guard let page else { return call.fail(.overloaded) }
            var onward = query
            onward.firstSlot = page.nextSlot ?? 0
            let next = page.nextSlot == nil ? worker + 1 : worker
            listConnections(call, onward, from: next, found + page.connections)
        }
    }

    private func answer(_ call: AdminCall, _ connections: [ConnectionSummary], next: ConnectionCursor?) {
        call.answer(
            200,
            JSONOutput.object { members in
                members.list("items", connections) { $0.write(to: &$1) }
                members.add("next", next?.text)
            })
    }

    func describeConnection(_ call: AdminCall) throws(AdminError) {
        let id = try routable(call.connectionID())
        questions.ask(Int(id.worker)) {
            ConnectionSummary(id, of: $0)
        } then: { answer in
            guard let answer else { return call.fail(.overloaded) }
            guard let summary = answer else { return call.fail(.connectionNotFound) }
            call.answer(200, JSONOutput.object { summary.write(to: &$0) })
        }
    }

    func closeConnection(_ call: AdminCall) throws(AdminError) {
        let id = try routable(call.connectionID())
        var code = CloseReason.closedByOperator.code
        if let text = call.query.first("code") {
            guard let number = UInt16(text), CloseCode(rawValue: number).isValidOnWire else { throw .closeCodeInvalid }
            code = CloseCode(rawValue: number)
        }
        let reason = call.query.first("reason") ?? CloseReason.closedByOperator.text
        guard reason.utf8.count <= 123 else { throw .closeCodeInvalid }
        questions.ask(Int(id.worker)) { [code] in
            $0.closeForOperator(id, code: code, reason: reason)
        } then: { isClosed in
            guard let isClosed else { return call.fail(.overloaded) }
            guard isClosed else { return call.fail(.connectionNotFound) }
            call.answer(
                200,
                JSONOutput.object {
                    $0.add("id", id.text)
                    $0.add("code", Int(code.rawValue))
                })
        }
    }

    private func routable(_ id: ConnectionID) throws(AdminError) -> ConnectionID {
        guard id.node == node.number, Int(id.worker) < node.workers.count else { throw .connectionNotFound }
        return id
    }

    // MARK: Channels

    func listChannels(_ call: AdminCall) throws(AdminError) {
        let limit = try call.limit()
        var query = ChannelQuery(limit: limit + 1)
        query.prefix = call.query.first("prefix") ?? ""
        if let cursor = call.query.first("cursor") {
            guard let channel = Channel(cursor) else { throw .cursorInvalid }
            query.after = channel
        }
        questions.askAll { [query] (worker: Worker, reply: Reply<[ChannelSummary]>) in
            worker.list(query, reply)
        } then: { answers in
            guard answers.isComplete else { return call.fail(.overloaded) }
            var counts: [Channel: Int] = [:]
            for item in answers.all.joined() { counts[item.channel, default: 0] += item.subscribers }
            let channels = counts.keys.sorted()
            let page = Array(channels.prefix(limit))
            call.answer(
                200,
                JSONOutput.object { members in
                    members.list("items", page) { channel, item in
                        item.add("channel", channel.name)
                        item.add("subscribers", counts[channel] ?? 0)
                    }
                    members.add("next", channels.count > limit ? page.last?.name : nil)
                })
        }
    }
}

extension ConnectionSummary {
    fileprivate func write(to members: inout JSONOutput.Members) {
        members.add("id", id.text)
        members.add("user", user)
        members.add("path", path)
        members.add("remoteAddress", remoteAddress)
        members.add("subprotocol", subprotocol)
        members.add("compression", compression)
        members.add("certificate", certificate)
        members.add("script", script)
        members.add("openedAt", openedAt)
        members.add("messagesIn", messagesIn)
        members.add("messagesOut", messagesOut)
        members.add("bytesIn", bytesIn)
        members.add("bytesOut", bytesOut)
        members.add("queuedBytes", queuedBytes)
        members.addMilliseconds("roundTripMs", microseconds: roundTrip)
        members.add("channels", channels)
        members.add("state", state)
    }
}

// Questions about connections, channels and the node.

import EventLoop
import Glibc
import HTTP1
import JSON
import PubSub
import Scripting
import WebSocket

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
        let ticket = nextTicket()
        node.workers[worker].post(.list(rest, ticket: ticket))
        gather(ticket, from: 1) { [unowned self] answers, isComplete in
            guard case .connections(let page, let nextSlot)? = answers.first?.answer else {
                return call.fail(.overloaded)
            }
            var onward = query
            onward.firstSlot = nextSlot ?? 0
            listConnections(call, onward, from: nextSlot == nil ? worker + 1 : worker, found + page)
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
        let ticket = nextTicket()
        node.workers[Int(id.worker)].post(.describe(id, ticket: ticket))
        gather(ticket, from: 1) { answers, isComplete in
            guard isComplete else { return call.fail(.overloaded) }
            guard case .connection(let summary?)? = answers.first?.answer else { return call.fail(.connectionNotFound) }
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
        let ticket = nextTicket()
        node.workers[Int(id.worker)].post(.close(id, code: code, reason: reason, ticket: ticket))
        gather(ticket, from: 1) { answers, isComplete in
            guard isComplete else { return call.fail(.overloaded) }
            guard case .closed(true)? = answers.first?.answer else { return call.fail(.connectionNotFound) }
            call.answer(
                200,
                JSONOutput.object {
                    $0.add("id", id.text); $0.add("code", Int(code.rawValue))
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
        let ticket = nextTicket()
        node.workers.postToAll(.channels(query, ticket: ticket))
        gather(ticket, from: node.workers.count) { answers, isComplete in
            guard isComplete else { return call.fail(.overloaded) }
            var counts: [Channel: Int] = [:]
            for entry in answers {
                guard case .channels(let page) = entry.answer else { continue }
                for item in page { counts[item.channel, default: 0] += item.subscribers }
            }
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

    // MARK: The node

    func describeNode(_ call: AdminCall) {
        let ticket = nextTicket()
        node.workers.postToAll(.statistics(ticket: ticket))
        gather(ticket, from: node.workers.count) { [unowned self] answers, isComplete in
            var sum = WorkerStatistics()
            for entry in answers {
                if case .statistics(let one) = entry.answer { sum += one }
            }
            let perWorker = answers.sorted { $0.worker < $1.worker }.map { entry -> Int in
                if case .statistics(let one) = entry.answer { one.connections } else { 0 }
            }
            call.answer(
                200,
                JSONOutput.object { members in
                    members.add("name", "perigee")
                    members.add("version", PerigeeVersion.text)
                    members.add("lua", ScriptEngine.luaVersion)
                    members.add("node", String(node.number, radix: 36))
                    members.add("pid", Int(getpid()))
                    members.add("state", isDraining ? "draining" : "running")
                    members.add("startedAt", node.startedAt)
                    members.add("uptimeSeconds", time(nil) - node.startedAt)
                    members.add("workers", node.workers.count)
                    members.addJSON("connectionsPerWorker", "\(perWorker)")
                    members.add("channels", node.broker.channelCount)
                    members.add("scriptVersion", node.liveScripts.version)
                    members.add("memoryBytes", memory.residentBytes)
                    members.add("memoryIsTight", node.limits.memoryIsTight)
                    members.add("handlersStuck", node.stuckHandlers.total)
                    members.add("adminAccepted", accepted)
                    members.add("adminConnections", connections)
                    members.add("adminRequestsTimedOut", requestsTimedOut)
                    members.add("logEntriesDropped", node.logEntriesDropped)
                    sum.write(to: &members)
                    if !isComplete { members.add("complete", false) }
                })
        }
    }
}

// Walks at work: each turn goes on with the first of them.

import DequeModule
import EventLoop
import PubSub
import Scripting
import WebSocket

extension Worker {
    // MARK: Frames for many

    /// Sends a frame to every open connection, or to those of a path: in this turn where there are few connections.
    func sendWidely(_ frame: Frame, path: String?, receipt: UInt64?) {
        walks.append(Walks.Send(frame: frame, path: path, receipt: receipt))
        if walks.sends.count > Walks.mostSends { _ = advanceSend(steps: .max) }
        loop.hasWork = true
    }

    /// Sends what the connection lacks of the frames that are on their way; answers how many it lacked.
    @discardableResult
    func catchUp(_ connection: ClientConnection) -> Int {
        let first = walks.firstLacking(after: connection.lastWideSend)
        let end = max(first, walks.sends.count)
        connection.lastWideSend = walks.newest
        for place in first..<end { send(at: place, to: connection) }
        return end - first
    }

    private func send(at place: Int, to connection: ClientConnection) {
        let wide = walks.sends[place]
        guard connection.phase == .open, wide.path == nil || wide.path == connection.path else { return }
        let result = connection.send(wide.frame, whenFull: onFullQueue)
        walks.sends[place].count.note(result == .sent ? .queued : .dropped)
    }

    /// Goes on with the first frame; answers how many steps that took, nil when there is none. A step is a look at a slot, or one
    /// frame for the connection there.
    private func advanceSend(steps: Int) -> Int? {
        guard !walks.sends.isEmpty else { return nil }
        var taken = 0
        while walks.slot < loop.slotCount, taken < steps {
            let connection = loop.source(at: walks.slot) as? ClientConnection
            walks.slot += 1
            let isBehind = connection.map { $0.phase == .open && $0.lastWideSend != walks.newest } ?? false
            taken += isBehind ? max(1, connection.map(catchUp) ?? 0) : 1
        }
        walks.steps += UInt64(taken)
        if walks.slot >= loop.slotCount { endSend() }
        return taken
    }

    private func endSend() {
        guard let wide = walks.sends.popFirst() else { return }
        walks.slot = 0
        statistics.deliveriesDropped += UInt64(wide.count.dropped)
        node.workers.handled(wide.frame, on: index)
        if let receipt = wide.receipt { answers.append(.delivered(receipt: receipt, wide.count)) }
    }

    // MARK: Pages of channels

    /// Begins a page of channels; it is answered when it is complete.
    package func list(_ query: ChannelQuery, _ reply: Reply<[ChannelSummary]>) {
        let page = hub.beginPage(prefix: query.prefix, after: query.after, limit: query.limit)
        walks.listings.append(Walks.Listing(page: page, reply: reply))
        loop.hasWork = true
    }

    private func advanceListing(steps: Int) -> Int? {
        guard !walks.listings.isEmpty else { return nil }
        let taken = hub.advance(&walks.listings[0].page, steps: steps)
        walks.steps += UInt64(taken)
        guard walks.listings[0].page.isComplete else { return taken }
        let listing = walks.listings.removeFirst()
        answer(
            listing.reply,
            listing.page.channels.map { ChannelSummary(channel: $0.channel, subscribers: $0.subscribers) })
        return taken
    }

    // MARK: Turns

    /// Does this turn's part.
    func advanceWalks() {
        guard !walks.isEmpty else { return }
        walk(advanceSend)
        walk(advanceListing)
    }

    /// A walk that has come to its end with steps left lets the next one begin.
    private func walk(_ advance: (Int) -> Int?) {
        var left = walks.stepsInTurn
        while left > 0, let taken = advance(left) { left -= max(1, taken) }
    }

    /// Nobody is connected any more: what is left of the walks takes no time.
    func endWalks() {
        while !walks.isEmpty { advanceWalks() }
    }
}

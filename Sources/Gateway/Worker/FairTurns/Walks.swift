// Walks over very many connections or channels: a frame for a path or for all, and a page of channels. A turn does so many
// steps of it at most. The rest waits for the next turns, after the other sockets were read and written.
//
// A later message for the same connection must not overtake a frame. So each connection knows the number of the last such frame
// that it was sent, and gets those that it lacks before any other frame.
//
// Runs on: the worker's thread. Allocates: for each frame or page that needs more than one turn.
// Read next: ../Listings.swift, PubSub/Hub.swift.

import DequeModule
import EventLoop
import PubSub
import Scripting
import Settings
import WebSocket

/// A worker's walks, in the order in which they were asked for.
final class Walks {
    /// A frame on its way to many connections.
    private struct Send {
        let frame: Frame
        /// The path of the connections; nil for all connections.
        let path: String?
        let receipt: UInt64?
        var count = DeliveryCount()
    }

    /// A page of channels in the making.
    private struct Listing {
        var page: ChannelWalk
        let reply: Reply<[ChannelSummary]>
    }

    /// Frames that may be on their way at once; the oldest goes to all its connections at once when there is one more.
    private static let mostSends = 1_024

    private let connections: LocalConnections
    private let hub: Hub
    private unowned(unsafe) let loop: EventLoop
    private let replies: AdminReplies
    private let onFullQueue: Configuration.WebSocket.FullQueuePolicy
    /// Steps in one turn: as many connections and as many channels.
    var stepsInTurn = 4_096
    /// Steps done so far.
    private(set) var steps: UInt64 = 0
    /// The number of the last frame that was asked for.
    private(set) var newest: UInt32 = 0
    /// Frames that clients did not get.
    private(set) var dropped: UInt64 = 0
    private var sends: Deque<Send> = []
    private var listings: Deque<Listing> = []
    /// The slot at which the first frame's walk goes on.
    private var slot = 0

    init(
        over connections: LocalConnections, _ hub: Hub, on loop: EventLoop, answeringTo replies: AdminReplies,
        whenFull onFullQueue: Configuration.WebSocket.FullQueuePolicy
    ) {
        self.connections = connections
        self.hub = hub
        self.loop = loop
        self.replies = replies
        self.onFullQueue = onFullQueue
    }

    var isEmpty: Bool { sends.isEmpty && listings.isEmpty }

    // MARK: Frames for many

    /// Sends a frame to every open connection, or to those of a path: in this turn where there are few connections.
    func send(_ frame: Frame, path: String?, receipt: UInt64?) {
        sends.append(Send(frame: frame, path: path, receipt: receipt))
        newest &+= 1
        if sends.count > Self.mostSends { _ = advanceSend(steps: .max) }
        loop.hasWork = true
    }

    /// Sends the frames on their way that the connection lacks; answers their number.
    @discardableResult
    func catchUp(_ connection: ClientConnection) -> Int {
        let first = firstLacking(after: connection.lastWideSend)
        let end = max(first, sends.count)
        connection.lastWideSend = newest
        for place in first..<end { send(at: place, to: connection) }
        return end - first
    }

    /// The place in `sends` of the first frame that a connection lacks, which was sent all frames up to a number.
    private func firstLacking(after number: UInt32) -> Int {
        let oldest = newest &- UInt32(sends.count) &+ 1
        return max(0, Int(Int32(bitPattern: number &+ 1 &- oldest)))
    }

    private func send(at place: Int, to connection: ClientConnection) {
        let wide = sends[place]
        guard connection.phase == .open, wide.path == nil || wide.path == connection.request.path else { return }
        let result = connection.send(wide.frame, whenFull: onFullQueue)
        sends[place].count.note(result == .sent ? .queued : .dropped)
    }

    /// Goes on with the first frame; answers the number of steps, nil when there is none. A step is a look at a slot, or one
    /// frame for the connection there.
    private func advanceSend(steps most: Int) -> Int? {
        guard !sends.isEmpty else { return nil }
        var taken = 0
        while slot < connections.slotCount, taken < most {
            let connection = connections[slot: slot]
            slot += 1
            let isBehind = connection.map { $0.phase == .open && $0.lastWideSend != newest } ?? false
            taken += isBehind ? max(1, connection.map(catchUp) ?? 0) : 1
        }
        steps += UInt64(taken)
        if slot >= connections.slotCount { endSend() }
        return taken
    }

    private func endSend() {
        guard let wide = sends.popFirst() else { return }
        slot = 0
        dropped += UInt64(wide.count.dropped)
        replies.handled(wide.frame, receipt: wide.receipt, wide.count)
    }

    // MARK: Pages

    /// Begins a page of channels; it is answered when it is complete.
    func list(_ query: ChannelQuery, _ reply: Reply<[ChannelSummary]>) {
        let page = hub.beginPage(prefix: query.prefix, after: query.after, limit: query.limit)
        listings.append(Listing(page: page, reply: reply))
        loop.hasWork = true
    }

    private func advanceListing(steps most: Int) -> Int? {
        guard !listings.isEmpty else { return nil }
        let taken = hub.advance(&listings[0].page, steps: most)
        steps += UInt64(taken)
        guard listings[0].page.isComplete else { return taken }
        let listing = listings.removeFirst()
        replies.answer(
            listing.reply,
            listing.page.channels.map { ChannelSummary(channel: $0.channel, subscribers: $0.subscribers) })
        return taken
    }

    /// Counts a step that a page of connections has done.
    func countStep() { steps += 1 }

    // MARK: Turns

    /// Does this turn's part.
    func advance() {
        guard !isEmpty else { return }
        walk(advanceSend)
        walk(advanceListing)
    }

    /// A walk that has come to its end with steps left lets the next one begin.
    private func walk(_ advance: (Int) -> Int?) {
        var left = stepsInTurn
        while left > 0, let taken = advance(left) { left -= max(1, taken) }
    }

    /// Ends the walks at once; without connections that takes no time.
    func finish() {
        while !isEmpty { advance() }
    }
}

// Listings of a worker's connections and channels for the admin API. A listing of connections looks at a bounded number of slots in
// one turn and says where it goes on.
//
// Runs on: the worker's thread.

import EventLoop
package import PubSub
import Scripting
import WebSocket

/// The connections that a listing is about.
package struct ConnectionQuery: Sendable {
    package var channel: Channel?
    package var user: String?
    package var path: String?
    /// Begins at this slot of the worker's table.
    package var firstSlot: UInt32 = 0
    /// At most so many, 1 to 1000.
    package var limit: Int

    package init(channel: Channel? = nil, user: String? = nil, path: String? = nil, firstSlot: UInt32 = 0, limit: Int) {
        self.channel = channel
        self.user = user
        self.path = path
        self.firstSlot = firstSlot
        self.limit = limit
    }
}

/// A part of a listing. It may be short of its limit before the listing ends.
package struct ConnectionPage: Sendable {
    package var connections: [ConnectionSummary]
    /// The slot at which the listing goes on; nil at its end.
    package var nextSlot: UInt32?
}

/// A connection as the admin API shows it.
package struct ConnectionSummary: Sendable {
    package var id: ConnectionID
    package var user: String?
    package var path: String
    package var remoteAddress: String
    /// Seconds since 1970.
    package var openedAt: Int
    package var subprotocol: String?
    /// The extension by which its messages are compressed.
    package var compression: String?
    /// The subject of the client's certificate.
    package var certificate: String?
    package var script: String
    package var messagesIn: UInt64
    package var messagesOut: UInt64
    package var bytesIn: UInt64
    package var bytesOut: UInt64
    /// Bytes that the kernel has not taken yet.
    package var queuedBytes: Int
    /// Of the last ping that was answered, in microseconds.
    package var roundTrip: UInt32?
    package var channels: [String]
    /// "open" or "closing".
    package var state: String
}

extension ConnectionSummary {
    /// Nil for a connection that is not open yet or not open any more.
    init?(_ connection: ClientConnection, of worker: Worker) {
        guard connection.phase == .open || connection.phase == .closing else { return nil }
        self.init(
            id: connection.id, user: connection.user, path: connection.request.path,
            remoteAddress: "\(connection.remote)", openedAt: Int(connection.openedAt),
            subprotocol: connection.subprotocol,
            compression: connection.deflate == nil ? nil : DeflateAgreement.extensionName,
            certificate: connection.certificateSubject,
            script: worker.engine.name(of: connection.script), messagesIn: UInt64(connection.messagesIn),
            messagesOut: UInt64(connection.messagesOut), bytesIn: connection.bytesIn, bytesOut: connection.bytesOut,
            queuedBytes: connection.waitingBytes, roundTrip: connection.keepalive.lastRoundTrip,
            channels: connection.memberships.map(\.channel.name),
            state: connection.phase == .open ? "open" : "closing")
    }

    /// The connection with this id; nil when it is not here.
    package init?(_ id: ConnectionID, of worker: Worker) {
        guard let connection = worker.connections[id] else { return nil }
        self.init(connection, of: worker)
    }
}

extension ConnectionPage {
    package init(_ query: ConnectionQuery, of worker: Worker) {
        let first = Int(query.firstSlot)
        // A user's connections are known, so no other connection is looked at, unless they are very many.
        if let user = query.user, worker.users[user].count <= worker.walks.stepsInTurn {
            let slots = worker.users[user].map { Int($0.token.slot) }.filter { $0 >= first }.sorted()
            self.init(slots, query, of: worker, next: nil)
        } else {
            let count = worker.connections.slotCount
            let end = min(first + worker.walks.stepsInTurn, count)
            self.init(first..<max(first, end), query, of: worker, next: end < count ? UInt32(end) : nil)
        }
    }

    /// - Parameter next: where the listing goes on when the page is not full by then.
    private init(_ slots: some Sequence<Int>, _ query: ConnectionQuery, of worker: Worker, next: UInt32?) {
        connections = []
        nextSlot = next
        for slot in slots {
            worker.walks.countStep()
            guard let connection = worker.connections[slot: slot],
                query.matches(connection, of: worker), let summary = ConnectionSummary(connection, of: worker)
            else { continue }
            guard connections.count < query.limit else {
                nextSlot = UInt32(slot)
                return
            }
            connections.append(summary)
        }
    }
}

extension ConnectionQuery {
    fileprivate func matches(_ connection: ClientConnection, of worker: Worker) -> Bool {
        if let channel, !worker.hub.isSubscribed(connection, to: channel) { return false }
        if let path, connection.request.path != path { return false }
        if let user, connection.user?.utf8.elementsEqual(user.utf8) != true { return false }
        return true
    }
}

// MARK: Channels

/// A channel as the admin API shows it.
package struct ChannelSummary: Sendable {
    package var channel: Channel
    package var subscribers: Int
}

/// The channels that a listing is about.
package struct ChannelQuery: Sendable {
    package var prefix = ""
    /// Only channels whose name comes after this one.
    package var after: Channel?
    /// At most so many, 1 to 1001.
    package var limit: Int

    package init(prefix: String = "", after: Channel? = nil, limit: Int) {
        self.prefix = prefix
        self.after = after
        self.limit = limit
    }
}

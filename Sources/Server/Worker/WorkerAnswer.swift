// What workers answer to the admin thread.

import PubSub
import Scripting

/// A worker's answer to one question.
enum WorkerAnswer: Sendable {
    case delivered(DeliveryCount)
    case closed(Bool)
    case connection(ConnectionSummary?)
    /// - nextSlot: where the listing goes on, nil at its end. A page may be short of its limit before that.
    case connections([ConnectionSummary], nextSlot: UInt32?)
    case channels([ChannelSummary])
    case statistics(WorkerStatistics)
    case scripts([ScriptStatistics])
    case measurements(WorkerMeasurements)
    /// Of `askPublish` and `askRequest`; never that it waits.
    case reply(ScriptReply)
    /// Too many pushes wait already for the answer to an earlier one.
    case overloaded
    /// The worker ends, and its scripts answer nothing any more.
    case stopping
}

/// A connection as the admin API shows it.
struct ConnectionSummary: Sendable {
    var id: ConnectionID
    var user: String?
    var path: String
    var remoteAddress: String
    /// Seconds since 1970.
    var openedAt: Int
    var subprotocol: String?
    /// The extension by which its messages are compressed.
    var compression: String?
    /// The subject of the client's certificate.
    var certificate: String?
    var script: String
    var messagesIn: UInt64
    var messagesOut: UInt64
    var bytesIn: UInt64
    var bytesOut: UInt64
    /// Bytes that the kernel has not taken yet.
    var queuedBytes: Int
    /// Of the last ping that was answered, in microseconds.
    var roundTrip: UInt32?
    var channels: [String]
    /// "open" or "closing".
    var state: String
}

/// A channel as the admin API shows it.
struct ChannelSummary: Sendable {
    var channel: Channel
    var subscribers: Int
}

/// One worker's counters since start, and its gauges now.
struct WorkerStatistics: Sendable {
    var connections = 0
    var subscriptions = 0
    /// Sockets that were accepted, and the WebSockets that became of them.
    var accepted: UInt64 = 0
    var opened: UInt64 = 0
    var messagesIn: UInt64 = 0
    var messagesOut: UInt64 = 0
    var bytesIn: UInt64 = 0
    var bytesOut: UInt64 = 0
    var scriptErrors: UInt64 = 0
    /// Handlers that were killed for the CPU time they used, and those reported for it.
    var handlersKilled: UInt64 = 0
    var handlersSlow: UInt64 = 0
    /// Handlers that had waited for as long as they may.
    var handlersTimedOut: UInt64 = 0
    /// Handlers that wait now.
    var handlersWaiting = 0
    /// What was left over because scripts had used up their slice of a turn, and how many turns that were.
    var backlog = BacklogCounts()
    var turnSlicesUsed: UInt64 = 0
    /// Timers, waits and spawned functions that were refused because there were as many as may be.
    var timersRefused: UInt64 = 0
    var waitsRefused: UInt64 = 0
    var spawnsRefused: UInt64 = 0
    var deliveriesDropped: UInt64 = 0
    /// Publications that gave way to newer ones while they waited for a slow client.
    var deliveriesDisplaced: UInt64 = 0
    /// Messages for one client that its full queue did not take.
    var messagesRefused: UInt64 = 0
    /// Connections turned away because the process had no descriptor for them.
    var refusedForDescriptors: UInt64 = 0
    /// Connections turned away at the door: too many in all, too many a second, too little memory.
    var refusedForConnections: UInt64 = 0
    var refusedForRate: UInt64 = 0
    var refusedForMemory: UInt64 = 0
    /// Handshakes answered 429 because their address has as many connections as it may.
    var refusedForAddress: UInt64 = 0
    /// Connections that were ended after a plain request for a limit: of their number, their time, or their address.
    var plainLimited: UInt64 = 0
    /// How often reading from a client was interrupted because it sent more than its rate.
    var readsDelayed: UInt64 = 0
    var pingsSent: UInt64 = 0
    /// Messages compressed, each once however many clients got it.
    var messagesDeflated: UInt64 = 0
    /// Compressed messages of clients.
    var messagesInflated: UInt64 = 0
    /// HTTP errors and refused handshakes on the clients' port.
    var handshakesRefused: UInt64 = 0
    /// Those of them that came from pages of an origin that may not connect.
    var originsRefused: UInt64 = 0
    /// TLS handshakes of clients that were completed, and those among them that continued a session.
    var tlsHandshakes: UInt64 = 0
    var tlsResumptions: UInt64 = 0
    /// TLS handshakes that failed for what the client sent.
    var tlsHandshakesFailed: UInt64 = 0
    /// TLS connections ended because the client asked for a new handshake.
    var tlsRenegotiations: UInt64 = 0
    /// Connections that went on sending after their end was decided, and were not read any further.
    var closeInputCut: UInt64 = 0
    /// How often each `CloseReason` ended a connection, by its raw value.
    var closes: [UInt64] = []
    var luaMemory = 0
    /// How long reloads have held up the worker: from one event to the next, whatever the machine did meanwhile. Migrations of
    /// states, from which a worker stands still until all have voted, are counted apart.
    var reloadPauses = PauseRecord()
    var migrationPauses = PauseRecord()
    /// Scripts' requests to other servers: all, those without a response, those refused, and those at this moment.
    var httpRequests: UInt64 = 0
    var httpFailed: UInt64 = 0
    var httpTimedOut: UInt64 = 0
    var httpRefused: UInt64 = 0
    var httpRunning = 0
    var httpWaiting = 0
    var httpLookups = 0

    static func += (left: inout WorkerStatistics, right: WorkerStatistics) {
        left.connections += right.connections
        left.subscriptions += right.subscriptions
        left.accepted += right.accepted
        left.opened += right.opened
        left.messagesIn += right.messagesIn
        left.messagesOut += right.messagesOut
        left.bytesIn += right.bytesIn
        left.bytesOut += right.bytesOut
        left.scriptErrors += right.scriptErrors
        left.handlersKilled += right.handlersKilled
        left.handlersSlow += right.handlersSlow
        left.handlersTimedOut += right.handlersTimedOut
        left.handlersWaiting += right.handlersWaiting
        left.backlog += right.backlog
        left.turnSlicesUsed += right.turnSlicesUsed
        left.timersRefused += right.timersRefused
        left.waitsRefused += right.waitsRefused
        left.spawnsRefused += right.spawnsRefused
        left.deliveriesDropped += right.deliveriesDropped
        left.deliveriesDisplaced += right.deliveriesDisplaced
        left.messagesRefused += right.messagesRefused
        left.refusedForDescriptors += right.refusedForDescriptors
        left.refusedForConnections += right.refusedForConnections
        left.refusedForRate += right.refusedForRate
        left.refusedForMemory += right.refusedForMemory
        left.refusedForAddress += right.refusedForAddress
        left.plainLimited += right.plainLimited
        left.readsDelayed += right.readsDelayed
        left.pingsSent += right.pingsSent
        left.messagesDeflated += right.messagesDeflated
        left.messagesInflated += right.messagesInflated
        left.handshakesRefused += right.handshakesRefused
        left.originsRefused += right.originsRefused
        left.tlsHandshakes += right.tlsHandshakes
        left.tlsResumptions += right.tlsResumptions
        left.tlsHandshakesFailed += right.tlsHandshakesFailed
        left.tlsRenegotiations += right.tlsRenegotiations
        left.closeInputCut += right.closeInputCut
        left.luaMemory += right.luaMemory
        left.reloadPauses += right.reloadPauses
        left.migrationPauses += right.migrationPauses
        left.httpRequests += right.httpRequests
        left.httpFailed += right.httpFailed
        left.httpTimedOut += right.httpTimedOut
        left.httpRefused += right.httpRefused
        left.httpRunning += right.httpRunning
        left.httpWaiting += right.httpWaiting
        left.httpLookups += right.httpLookups
        let count = max(left.closes.count, right.closes.count)
        left.closes = (0..<count).map { index in
            (index < left.closes.count ? left.closes[index] : 0)
                + (index < right.closes.count ? right.closes[index] : 0)
        }
    }
}

/// One script's counters on one worker.
struct ScriptStatistics: Sendable {
    var name: String
    /// By handler name: calls and errors.
    var handlers: [(name: String, calls: UInt64, errors: UInt64)]
}

// One client: an HTTP request that becomes a WebSocket. The socket brings bytes, the parsers decide, and the connection acts on
// their decisions. The script gives a message its meaning, through the worker.
//
// Runs on: its worker's thread.
// Allocates: at the handshake, and not for a message.
// Read next: ClientHandshake.swift, ClientConnection+Frames.swift, ClientConnection+Sending.swift, ClientConnection+Turns.swift.

import ClientProtocols
import EventLoop
import Logging
import PubSub
import Scripting
import Settings
import WebSocket

/// A client's connection, from accept to close.
final class ClientConnection: Socket, Subscriber, UserMember {
    /// A part of a connection's life.
    enum Phase {
        /// HTTP: waiting for a request, or answering requests that are not for a WebSocket.
        case handshake
        /// Able to talk.
        case open
        /// Our Close frame is sent, the peer's awaited.
        case closing
        /// Both are done with it; the socket is being hung up.
        case closed
    }

    /// State that only few connections have.
    struct Extras {
        var user: String?
        /// Its place in the index of users.
        var placeOfUser = 0
        var subprotocol: String?
        /// The protocol that the client speaks; nil for raw frames.
        var conversation: (any ClientProtocol)?
        var backlog: Backlog?
        var meter: RateMeter?
        /// Input that has to wait.
        var held: HeldInput?
        /// Events that have to wait for a handler.
        var pending: PendingEvents?
        /// An end that the script has not been told of yet.
        var ending: Ending?
        var remains: Remains?
        /// Where messages may refer to earlier ones, from the first compressed one on.
        var windows: OwnWindows?
    }

    unowned(unsafe) let worker: Worker
    /// The random half of the connection's id.
    let secret: UInt64
    var phase = Phase.handshake
    /// Whether messages wait in `extras`, where the policies of their channels can reach them.
    var hasBacklog = false
    /// Whether a handler of this connection waits: its next events queue.
    var isBusy = false
    /// Whether it waits for its turn, because the slice was used up: its next events queue, and it is not read.
    var isDeferred = false
    /// When its events have last used up a slice, in ticks of 16 milliseconds that begin again after a quarter of an hour: two
    /// bytes that would be unused otherwise.
    var usedSliceUpAt: UInt16 = 0
    /// Whether it counts for `limits.connectionsPerIP`.
    var isCountedForAddress = false
    /// The form in which its client gets messages; anything but raw has a conversation in `extras`.
    var wireForm = WireForm.raw
    /// Which script serves it, by name: a reload does not change it.
    var script: ScriptID!
    var decoder = MessageDecoder()
    /// Only until the handshake is done.
    var handshake: ClientHandshake?
    /// The request that opened it, kept for scripts that ask for its query or headers.
    var request = OpeningRequest()
    var memberships: [Membership] = []
    var extras: Box<Extras>?
    /// Seconds since 1970.
    var openedAt: UInt32 = 0
    var messagesIn: UInt32 = 0
    var messagesOut: UInt32 = 0
    /// The number of the last frame for many that it was sent, or had opened too late for.
    var lastWideSend: UInt32
    var keepalive = Keepalive()
    /// The agreed parameters of compression; nil on a plain connection.
    var deflate: DeflateParameters?
    var bytesIn: UInt64 = 0
    var bytesOut: UInt64 = 0

    init(descriptor: Int32, peer: SocketAddress, worker: Worker) {
        self.worker = worker
        secret = worker.random.next()
        lastWideSend = worker.walks.newest
        worker.connections.added()
        super.init(descriptor: descriptor, peer: peer, on: worker.loop)
        handshake = ClientHandshake(of: self)
        endAllowance = worker.rules.closeInput
        setDeadline(milliseconds: worker.rules.handshakeTimeout)
        if let context = worker.node.certificates.clients { startTLS(context) }
    }

    var handle: ConnectionHandle { ConnectionHandle(slot: token.slot, generation: token.generation) }

    var id: ConnectionID {
        ConnectionID(node: worker.node.number, worker: worker.index, slot: token.slot, secret: secret)
    }

    var subscriberID: SubscriberID { id.subscriber }

    /// The address of the client, which it counts for: the socket's other end, or the one that a trusted proxy has named.
    var remote: SocketAddress { peer }

    var user: String? { extras?.value.user }
    var subprotocol: String? { extras?.value.subprotocol }

    var placeOfUser: Int {
        get { extras?.value.placeOfUser ?? 0 }
        set { makeExtras().value.placeOfUser = newValue }
    }

    /// The box of state that only few connections have, made when the first of it is needed.
    func makeExtras() -> Box<Extras> {
        if let extras { return extras }
        let made = Box(Extras())
        extras = made
        return made
    }

    /// The script, which has waited, has decided about the handshake.
    func decided(_ outcome: UpgradeOutcome) { handshake?.goOn(outcome) }

    // MARK: The socket's callbacks

    override func received(_ bytes: UnsafeMutableRawBufferPointer) {
        worker.turns.slice.beginSource()
        switch phase {
        case .handshake: handshake?.receive(bytes)
        case .open:
            keepalive.awaitsAnswer = false
            receiveFrames(bytes)
        case .closing:
            swallow(bytes.count)
            receiveFrames(bytes)
        case .closed: break
        }
    }

    override func receivedPreamble(_ bytes: UnsafeRawBufferPointer) -> Int? {
        guard let handshake else { return 0 }
        return handshake.receiveProxyHeader(bytes)
    }

    override func receivedEnd() {
        switch phase {
        case .handshake, .closed: finish(within: worker.rules.closeTimeout)
        case .open, .closing: abort()
        }
    }

    override func drained() {
        if hasBacklog { sendBacklog() }
        guard !isBlocked, phase == .open else { return }
        worker.drained(self)
    }

    override func secured() {
        worker.statistics.tlsHandshakes += 1
        if isResumed { worker.statistics.tlsResumptions += 1 }
    }

    override func handshakeFailed(_ reason: String) {
        worker.statistics.tlsHandshakesFailed += 1
        worker.log.debug("TLS handshake failed", metadata: ["reason": "\(reason)", "remote": "\(peer)"])
    }

    override func renegotiationRefused() {
        worker.statistics.tlsRenegotiations += 1
        worker.log.notice("TLS renegotiation refused", metadata: ["remote": "\(remote)"])
    }

    override func endAllowanceSpent() { worker.statistics.closeInputCut += 1 }

    override func deadlineReached() {
        switch phase {
        case .handshake: if let handshake { handshake.isLate() } else { abort() }
        case .closing: closeIsLate()
        case .open: pauseIsOver()
        case .closed: break
        }
    }

    /// The messages of a client that has hung up are still handled; the answers to them are lost.
    override var readsToTheEnd: Bool { phase == .open }

    override func writeStalled() {
        if phase == .open {
            worker.count(.writeStall)
            worker.logClose(self, .writeStall)
        }
        abort()
    }

    override func mayClose() -> Bool {
        if phase == .open { makeExtras().value.ending = Ending(code: .abnormal, reason: "") }
        phase = .closed
        return tellEnd()
    }

    override func didClose() { worker.forget(self) }
}

/// Boxes a rarely used value, so that a connection without it pays for one pointer.
final class Box<Value> {
    var value: Value
    init(_ value: Value) { self.value = value }
}

// One socket of the model with its client: the bytes that were written to it, and those that the kernel was given.

import COpenSSL
import Glibc
import PerigeeTestKit
import SeededGenerator

@testable import EventLoop

/// A socket, its other end, and the bytes that belong to it.
final class ModelLine {
    enum Kind: CaseIterable { case plain, secure, secureOfOldVersion }

    let kind: Kind
    let name: Int
    let socket: ModelSocket
    private let peer: Peer
    private let client: TLSPeer?
    /// Written, and not yet given to the kernel.
    private var expected = ByteQueue()
    /// `didClose` was called.
    fileprivate(set) var isOver = false
    /// Whether its end was put off and has not come since.
    fileprivate(set) var isPutOff = false
    private(set) var isFinishing = false
    /// Whether something has happened after which the socket may close with unsent bytes.
    private var mayLoseBytes = false
    /// Whether the client cannot read any more, because it has asked for something that is refused.
    private var isDeaf = false
    private var isEstablished = false

    init(_ kind: Kind, name: Int, in model: OutputModel) {
        self.kind = kind
        self.name = name
        let pair = SocketPair()
        peer = Peer(descriptor: pair.far)
        switch kind {
        case .plain: client = nil
        case .secure: client = TLSPeer(peer)
        case .secureOfOldVersion: client = TLSPeer(peer, maxVersion: TLS1_2_VERSION)
        }
        socket = ModelSocket(descriptor: pair.near, peer: .unix, on: model.loop)
        model.kernel.connect(pair.near, to: self, model)
        socket.model = model
        socket.line = self
        if client != nil { socket.startTLS(TestCertificates.context) }
        shakeHands(model)
    }

    // MARK: Actions of the model

    func write(_ bytes: UnsafeRawBufferPointer) {
        if socket.isWritable { expected.append(bytes) }
        socket.write(bytes)
    }

    func write(_ piece: SharedBytes) {
        if socket.isWritable { expected.append(piece.bytes) }
        socket.write(shared: piece.bytes, owner: piece)
    }

    func writeThrough(_ head: UnsafeRawBufferPointer, _ body: UnsafeRawBufferPointer) {
        if socket.isWritable {
            expected.append(head)
            expected.append(body)
        }
        socket.writeThrough(head, body)
    }

    func finish() {
        // Before its handshake is done, a socket has nothing to finish.
        if !socket.isWritable && !isFinishing { mayLoseBytes = true }
        isFinishing = true
        socket.finish()
    }

    /// Refuses the socket's bytes in the middle of a turn, as when OpenSSL's own answers find no room.
    func refuse(_ model: OutputModel) {
        guard socket.isWritable else { return }
        if socket.flags.contains(.dirty) { model.seen.refusedWhileDirty += 1 }
        socket.block(hasProgressed: false)
    }

    func abort() {
        mayLoseBytes = true
        socket.abort()
    }

    /// Sets a deadline, if the line may set one.
    func setDeadline(_ milliseconds: UInt64?) {
        if socket.isWritable { socket.setDeadline(milliseconds: milliseconds) }
    }

    /// Whether the socket closes now. It may put off its end while the model is still active.
    fileprivate func mayClose(_ model: OutputModel) -> Bool {
        isPutOff = false
        model.callback(of: self, "mayClose")
        guard model.allowance > 0, model.generator.oneIn(3) else { return true }
        model.seen.putOffs += 1
        model.loop.hasWork = true
        isPutOff = true
        return false
    }

    func hangUp() {
        mayLoseBytes = true
        peer.hangUp()
    }

    /// Hangs up like a client that has received everything.
    func hangUpWhenServed() {
        if expected.isEmpty { peer.hangUp() }
    }

    /// The kernel has failed.
    func fail() { mayLoseBytes = true }

    /// The client sends bytes, or something that makes OpenSSL answer by itself.
    func say(_ model: OutputModel) {
        guard peer.descriptor >= 0, !socket.flags.contains(.paused), !isDeaf else { return }
        guard let client else { return send(Array(Noise.bytes(20, at: name))) }
        guard isEstablished, client.isEstablished else { return }
        switch (kind, Int.random(in: 0..<6, using: &model.generator)) {
        case (.secure, 0...3):
            model.seen.keyUpdates += 1
            send(client.keyUpdate())
        case (.secureOfOldVersion, 0):
            model.seen.renegotiations += 1
            (isDeaf, mayLoseBytes) = (true, true)
            send(client.renegotiation())
        default:
            send(client.encrypt(Array(Noise.bytes(20, at: name))))
        }
    }

    private func send(_ bytes: [UInt8]) {
        guard !bytes.isEmpty, peer.descriptor >= 0 else { return }
        // Nobody reads from a socket that is being closed.
        _ = Glibc.send(peer.descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL | MSG_DONTWAIT))
    }

    /// The client's next step of its TLS handshake.
    func shakeHands(_ model: OutputModel) {
        guard let client, !isEstablished else { return }
        send(client.stepFed())
        isEstablished = client.isEstablished
        if isEstablished { client.readFed { match($0, model) } }
    }

    // MARK: Bytes for the kernel

    func take(_ bytes: UnsafeRawBufferPointer, _ model: OutputModel) {
        guard let client else { return match(bytes, model) }
        client.feed(bytes)
        guard isEstablished, !isDeaf else { return }
        client.readFed { match($0, model) }
        if client.hasFailed, !isDeaf { model.fault("line \(name) was sent what is no TLS of its own") }
    }

    private func match(_ bytes: UnsafeRawBufferPointer, _ model: OutputModel) {
        if !expected.take(bytes) { model.fault("line \(name) was sent bytes that were not written to it, or not yet") }
    }

    // MARK: Rules

    /// Whether the line waits for nothing.
    var isSettled: Bool { isOver || (expected.isEmpty && socket.queuedBytes == 0) || isDeaf }

    var state: String {
        "\(expected.count) bytes not sent, \(socket.queuedBytes) queued, flags \(socket.flags.rawValue)"
    }

    func check(_ model: OutputModel) {
        guard isOver else { return }
        if !expected.isEmpty && !mayLoseBytes { model.fault("line \(name) lost \(expected.count) bytes") }
        if !mayLoseBytes && !isFinishing { model.fault("line \(name) was closed, and nobody wanted it") }
    }

    fileprivate func closed(_ model: OutputModel) {
        model.callback(of: self, "didClose")
        model.seen.closed += 1
        model.kernel.disconnect(socket.descriptor)
        isOver = true
    }
}

/// A socket whose callbacks act at random.
final class ModelSocket: Socket {
    unowned var model: OutputModel!
    weak var line: ModelLine?

    override func received(_ bytes: UnsafeMutableRawBufferPointer) { note("received") }
    override func receivedEnd() {
        note("receivedEnd")
        finish()
    }
    override func drained() {
        model.seen.drained += 1
        if queuedBytes > 0 { model.fault("drained with \(queuedBytes) bytes queued") }
        note("drained")
    }
    override func secured() { note("secured") }
    override func deadlineReached() {
        model.seen.deadlines += 1
        note("deadlineReached")
        if model.generator.oneIn(4) { line?.abort() }
    }
    override func writeStalled() {
        model.seen.stalls += 1
        note("writeStalled")
        line?.abort()
    }
    override var readsToTheEnd: Bool { true }
    override func mayClose() -> Bool { line?.mayClose(model) ?? true }
    override func didClose() { line?.closed(model) }

    private func note(_ what: String) {
        if let line { model.callback(of: line, what) }
    }
}

/// A queue of bytes, which are compared when they are taken.
struct ByteQueue {
    private var bytes: [UInt8] = []
    private var head = 0

    var count: Int { bytes.count - head }
    var isEmpty: Bool { count == 0 }

    mutating func append(_ more: UnsafeRawBufferPointer) {
        if head == bytes.count {
            bytes.removeAll(keepingCapacity: true)
            head = 0
        }
        bytes.append(contentsOf: more)
    }

    /// Removes sent bytes from the front; false if they are not the expected ones.
    mutating func take(_ sent: UnsafeRawBufferPointer) -> Bool {
        guard sent.count <= count else { return false }
        let isEqual = bytes.withUnsafeBytes { memcmp($0.baseAddress! + head, sent.baseAddress!, sent.count) == 0 }
        head += sent.count
        return isEqual
    }
}

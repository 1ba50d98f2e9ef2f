// A connected stream socket. Bytes that arrive are handed to the subclass in the loop's one receive buffer; bytes that
// are written gather until the end of the turn. It knows bytes, ends and deadlines, and no protocol.
//
// No callback runs inside a write: a socket that breaks while it is written to is closed at the end of the turn.
//
// Runs on: its loop's thread.
// Read next: Socket+Output.swift.

import CLinux
import Glibc

/// One connection's byte stream. Subclasses override the callbacks and call the verbs.
open class Socket: Source {
    struct Flags: OptionSet {
        let rawValue: UInt16
        /// On the loop's list of sockets to write.
        static let dirty = Flags(rawValue: 1)
        /// The kernel took less than it was given; epoll tells when there is room.
        static let blocked = Flags(rawValue: 2)
        static let paused = Flags(rawValue: 4)
        /// Writes the queued bytes, then ends its side.
        static let finishing = Flags(rawValue: 8)
        /// Has ended its side and drops the bytes that still arrive, so that a reset does not overtake the end.
        static let lingering = Flags(rawValue: 16)
        static let closing = Flags(rawValue: 32)
        static let ended = Flags(rawValue: 64)
        /// The first bytes that arrive are a preamble and not the peer's own.
        static let preamble = Flags(rawValue: 128)
        /// In the TLS handshake, or before it.
        static let securing = Flags(rawValue: 256)
        /// The peer has hung up while reading was paused. epoll would report that for as long as it lasts, so the
        /// socket is not watched until reading goes on.
        static let unwatched = Flags(rawValue: 512)
        /// The peer is gone, and writes have no effect; bytes that it sent before are still read.
        static let mute = Flags(rawValue: 1024)
        /// Closing, and the subclass has put that off. epoll would report a peer that has hung up in each turn, so the
        /// socket is not watched.
        static let putOff = Flags(rawValue: 2048)
        /// The peer's close_notify came together with bytes after which reading was paused. It is handled when reading
        /// goes on.
        static let goodbye = Flags(rawValue: 4096)
    }

    /// The time in milliseconds that a peer may take to hang up after our end; shorter if less time is left for
    /// closing.
    static let lingerTime: UInt64 = 2_000

    /// The loop that owns the socket; it outlives it.
    public unowned(unsafe) let loop: EventLoop
    /// The address of the other end. A subclass that learns the client's address from a proxy stores it here.
    public final var peer: SocketAddress
    var output = Output.empty
    /// The TLS session of an encrypted connection.
    var tls: TLSSession?
    var flags: Flags = []
    /// The number of bytes that are still received after the decision to close. They matter only because the peer's own
    /// close frame comes after them. Beyond this allowance, and one more read, nothing is read.
    public final var endAllowance: UInt32 = 16 << 20
    /// Bytes written by the subclass and not yet taken by the kernel.
    public internal(set) var queuedBytes = 0

    /// Takes ownership of a connected, non-blocking descriptor and begins to read.
    public init(descriptor: Int32, peer: SocketAddress, on loop: EventLoop) {
        self.loop = loop
        self.peer = peer
        super.init(descriptor: descriptor)
        // If the kernel cannot watch one more client, only that client is affected: it is closed at the end of the
        // turn.
        if !loop.add(self, for: .readable) { abort() }
    }

    // MARK: Callbacks

    /// Bytes arrived. They lie in the loop's receive buffer, may be changed in place, and are gone after the call.
    open func received(_ bytes: UnsafeMutableRawBufferPointer) {}
    /// Bytes of one read arrived after `expectPreamble`. Returns how many of them belong to the preamble, which ends
    /// there; the bytes after it are handed to `received`. Nil: all of them belong to it, and more is to come.
    open func receivedPreamble(_ bytes: UnsafeRawBufferPointer) -> Int? { 0 }
    /// The peer will send no more (TCP half-close); it may still read. The default closes after the queued bytes are
    /// written.
    open func receivedEnd() { finish() }
    /// The queue of a blocked socket is empty again.
    open func drained() {}
    /// The TLS handshake is done.
    open func secured() {}
    /// The peer has asked for a new TLS handshake, which is never granted; the connection is being closed.
    open func renegotiationRefused() {}
    /// The peer has sent all of `endAllowance` and goes on sending; no more is read.
    open func endAllowanceSpent() {}
    /// The TLS handshake has failed, for a reason in OpenSSL's words; the connection is being closed.
    open func handshakeFailed(_ reason: String) {}
    /// The time set with `setDeadline` is up. The default hangs up.
    open func deadlineReached() { abort() }
    /// For `EventLoop.writeTimeout` the peer has taken none of the bytes that wait for it. The default hangs up.
    open func writeStalled() { abort() }
    /// Whether all bytes that a peer has sent are still read after it is gone: after a write to it has failed, or when
    /// it hangs up while reading is paused.
    open var readsToTheEnd: Bool { false }
    /// Called before the socket closes. Return false if the subclass has something to do first in later turns; it then
    /// calls `closePutOff`. The socket runs no other callback in between.
    open func mayClose() -> Bool { true }
    /// The connection is over; called once, before the descriptor closes. Writes have no effect any more.
    open func didClose() {}

    // MARK: Verbs

    /// Whether bytes that are written now can still reach the peer.
    public final var isWritable: Bool { flags.isDisjoint(with: [.finishing, .lingering, .closing, .securing, .mute]) }

    /// Whether queued bytes wait for the peer to read.
    public final var isBlocked: Bool { flags.contains(.blocked) }

    /// Sets the time after which `deadlineReached` is called; nil cancels it.
    public final func setDeadline(milliseconds: UInt64?) { loop.setDeadline(milliseconds, of: self) }

    /// Stops or resumes reading; a peer that goes on sending is slowed down by TCP.
    public final func setReading(_ reads: Bool) {
        guard flags.contains(.paused) == reads, !reads || endAllowance > 0 else { return }
        if reads { flags.remove(.paused) } else { flags.insert(.paused) }
        updateInterest()
        guard reads else { return }
        if flags.contains(.mute) { abortIfAllIsRead() }
        if flags.contains(.goodbye) { loop.atEndOfTurn { [self] in hearGoodbye() } }
    }

    /// Closes in an orderly way: the queued bytes are written, then the end is announced. Bytes that still arrive are
    /// dropped, up to `endAllowance`.
    /// - Parameter within: the time in milliseconds that the peer has for all of this. Nil: no limit while the peer
    ///   goes on taking the queued bytes; `EventLoop.writeTimeout` still applies.
    public final func finish(within: UInt64? = 5_000) {
        guard beginToFinish() else { return }
        setDeadline(milliseconds: within)
    }

    /// Closes as `finish(within:)` does, within the deadline that is set.
    public final func finishByDeadline() { _ = beginToFinish() }

    private func beginToFinish() -> Bool {
        // Nothing can be sent, so there is no orderly end.
        if flags.contains(.securing) && !flags.contains(.finishing) || flags.contains(.mute) {
            abort()
            return false
        }
        guard isWritable else { return false }
        flags.insert(.finishing)
        setReading(true)
        markDirty()
        return true
    }

    /// Closes at the end of the turn and drops the queued bytes.
    public final func abort() {
        guard !flags.contains(.closing) else { return }
        flags.insert(.closing)
        loop.closing.append(self)
    }

    /// Closes a socket that had put it off, at the end of the turn; without effect on any other.
    public final func closePutOff() {
        guard flags.contains(.putOff) else { return }
        flags.remove(.putOff)
        loop.closing.append(self)
    }

    /// Hands the first bytes to `receivedPreamble`: a proxy on the way has put them in front of the peer's own.
    public final func expectPreamble() { flags.insert(.preamble) }

    /// Whether the preamble has not ended yet.
    public final var awaitsPreamble: Bool { flags.contains(.preamble) }

    // MARK: Loop's side

    public final override func ready(_ readiness: Readiness) {
        guard !flags.contains(.closing) else { return }
        if readiness.contains(.writable) { becameWritable() }
        guard !flags.contains(.closing) else { return }
        let isBroken = !readiness.isDisjoint(with: .broken)
        if isBroken && hasNothingToRead { return abort() }
        if flags.contains(.paused) { return isBroken ? unwatch() : () }
        if readiness.contains(.readable) || isBroken { receive() }
    }

    /// Whether all bytes were read, or the rest does not matter: a peer that hangs up now is gone.
    private var hasNothingToRead: Bool {
        guard !flags.contains(.ended) else { return true }
        return flags.contains(.paused) && (!flags.isDisjoint(with: [.finishing, .lingering]) || !readsToTheEnd)
    }

    /// Waits until reading goes on. The kernel keeps the peer's last bytes until then.
    private func unwatch() {
        flags.insert(.unwatched)
        loop.suspend(self)
    }

    private func receive() {
        if let tls, !flags.contains(.preamble) { return receive(through: tls) }
        let buffer = loop.receiveBuffer
        let count = clinux_receive(descriptor, buffer.baseAddress!, loop.receiveLimit)
        if count > 0 {
            let bytes = UnsafeMutableRawBufferPointer(rebasing: buffer[0..<count])
            guard flags.isDisjoint(with: [.finishing, .lingering, .preamble, .mute]) else { return receiveAside(bytes) }
            received(bytes)
        } else if count == 0 {
            endOfInput()
        } else if count != -Int(EAGAIN) && count != -Int(EINTR) {
            abort()
        }
    }

    /// Handles bytes of which some or all are not for the protocol: bytes to drop while the socket closes, a preamble
    /// at the beginning, and the last bytes of a peer that is gone.
    private func receiveAside(_ bytes: UnsafeMutableRawBufferPointer) {
        guard flags.isDisjoint(with: [.finishing, .lingering]) else { return swallow(bytes.count) }
        if flags.contains(.mute) {
            received(bytes)
            return abortIfAllIsRead()
        }
        guard let end = receivedPreamble(UnsafeRawBufferPointer(bytes)) else { return }
        flags.remove(.preamble)
        guard end < bytes.count, flags.isDisjoint(with: [.finishing, .closing]) else { return }
        let rest = UnsafeMutableRawBufferPointer(rebasing: bytes[end...])
        if let tls { receive(UnsafeRawBufferPointer(rest), through: tls) } else { received(rest) }
    }

    /// Ends a socket whose peer is gone when all bytes of the peer have been read. While reading is paused, the
    /// subclass may still hold some of them.
    final func abortIfAllIsRead() {
        if !flags.contains(.paused) && clinux_unread(descriptor) <= 0 { abort() }
    }

    /// Subtracts bytes that came after the decision to close from the allowance. The peer's time is bounded too, but
    /// reading its bytes meanwhile costs as much as reading bytes that matter.
    public final func swallow(_ count: Int) {
        endAllowance -= UInt32(min(count, Int(endAllowance)))
        guard endAllowance == 0, !flags.contains(.paused) else { return }
        setReading(false)
        endAllowanceSpent()
    }

    final func endOfInput() {
        if !flags.isDisjoint(with: [.lingering, .mute]) { return abort() }
        if flags.contains(.ended) { return }
        flags.insert(.ended)
        updateInterest()
        receivedEnd()
    }

    final func updateInterest() {
        // A closing socket is neither read nor written, and may be suspended.
        guard !flags.contains(.closing) else { return }
        var interest: Readiness = []
        if flags.isDisjoint(with: [.paused, .ended]) { interest.insert(.readable) }
        if flags.contains(.blocked) { interest.insert(.writable) }
        guard flags.contains(.unwatched) else { return loop.watch(self, for: interest) }
        guard interest.contains(.readable) else { return }
        flags.remove(.unwatched)
        if !loop.resume(self, for: interest) { abort() }
    }

    final func markDirty() {
        guard flags.isDisjoint(with: [.dirty, .blocked, .closing, .mute]) else { return }
        flags.insert(.dirty)
        loop.dirty.append(self)
    }

    /// Called when all queued bytes have been written.
    final func outputIsEmpty() {
        guard flags.contains(.finishing), !flags.contains(.lingering), closeTLS() else { return }
        if flags.contains(.ended) { return abort() }
        linger()
    }

    /// Announces the end, and drops bytes that still arrive until the peer hangs up.
    final func linger() {
        flags.insert([.finishing, .lingering])
        shutdown(descriptor, Int32(SHUT_WR))
        loop.shortenDeadline(to: Self.lingerTime, of: self)
    }

    /// While a socket is being closed its deadline belongs to the socket, otherwise to the subclass.
    final func deadlineExpired() {
        guard !flags.contains(.closing) else { return }
        if flags.isDisjoint(with: [.finishing, .lingering]) { deadlineReached() } else { abort() }
    }

    /// The peer takes nothing. A socket that was told of its own stall earlier may have closed this one.
    final func stallExpired() {
        if !flags.contains(.closing) { writeStalled() }
    }

    final func finishClosing() {
        guard mayClose() else {
            flags.insert(.putOff)
            return loop.suspend(self)
        }
        didClose()
        output = .empty
        queuedBytes = 0
        tls = nil
        loop.remove(self)
    }
}

// A connected stream socket: what arrives is handed to the subclass in the loop's one receive buffer, what is written
// gathers until the end of the turn. It knows bytes, ends and deadlines, and no protocol.
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
        /// Writes what is queued, then says goodbye.
        static let finishing = Flags(rawValue: 8)
        /// Has said goodbye and swallows what still arrives, so that the goodbye is not lost to a reset.
        static let lingering = Flags(rawValue: 16)
        static let closing = Flags(rawValue: 32)
        static let ended = Flags(rawValue: 64)
        /// What arrives first is not the connection's own.
        static let preamble = Flags(rawValue: 128)
        /// In the TLS handshake, or before it.
        static let securing = Flags(rawValue: 256)
        /// The peer has hung up while reading was paused. epoll would report that for as long as it lasts, so it is not asked until
        /// reading goes on.
        static let unwatched = Flags(rawValue: 512)
        /// The peer is gone, and what is written has no effect; what it had sent before is still read.
        static let mute = Flags(rawValue: 1024)
        /// Closing, and the subclass has put that off. epoll would report a peer that has hung up in each turn, so it is not asked.
        static let putOff = Flags(rawValue: 2048)
        /// The peer's goodbye in TLS came together with bytes behind which reading was paused. It is heard when reading goes on.
        static let goodbye = Flags(rawValue: 4096)
    }

    /// How long a peer may take to hang up after our goodbye, in milliseconds; less where less is left of the time for the end.
    static let lingerTime: UInt64 = 2_000

    /// The loop that owns the socket; it outlives it.
    public unowned(unsafe) let loop: EventLoop
    /// The other end. A subclass that learns from a proxy who is behind it puts that here.
    public final var peer: SocketAddress
    var output = Output.empty
    /// Where the connection is encrypted.
    var tls: TLSSession?
    var flags: Flags = []
    /// How many bytes are still received from a peer whose end is decided: what it sends then matters only in so far as its own
    /// goodbye comes behind it. When that is more than this, and one read, nothing is read any more.
    public final var endAllowance: UInt32 = 16 << 20
    /// Bytes written by the subclass and not yet taken by the kernel.
    public internal(set) var queuedBytes = 0

    /// Takes ownership of a connected, non-blocking descriptor and begins to read.
    public init(descriptor: Int32, peer: SocketAddress, on loop: EventLoop) {
        self.loop = loop
        self.peer = peer
        super.init(descriptor: descriptor)
        // One client too many for the kernel is one client's trouble: it is hung up on at the end of the turn.
        if !loop.add(self, for: .readable) { abort() }
    }

    // MARK: Callbacks

    /// Bytes arrived. They lie in the loop's receive buffer, may be changed in place, and are gone after the call.
    open func received(_ bytes: UnsafeMutableRawBufferPointer) {}
    /// Bytes arrived after `expectPreamble`, those of this read. Answers how many of them still belong to the preamble, which
    /// ends with them: what follows is handed to `received`. Nil: all of them, and more is to come.
    open func receivedPreamble(_ bytes: UnsafeRawBufferPointer) -> Int? { 0 }
    /// The peer will send no more (TCP half-close); it may still read. The default hangs up after what is queued is
    /// written.
    open func receivedEnd() { finish() }
    /// A socket that the kernel had refused more bytes has an empty queue again.
    open func drained() {}
    /// The TLS handshake is done.
    open func secured() {}
    /// The peer has asked for a new TLS handshake, which nobody gets; it is being hung up on.
    open func renegotiationRefused() {}
    /// The peer has sent all of `endAllowance` and goes on; it is not read any further.
    open func endAllowanceSpent() {}
    /// The TLS handshake has failed, for a reason in OpenSSL's words; the peer is being hung up on.
    open func handshakeFailed(_ reason: String) {}
    /// The time set with `setDeadline` is up. The default hangs up.
    open func deadlineReached() { abort() }
    /// The peer has taken nothing for `EventLoop.writeTimeout` of what waits for it. The default hangs up.
    open func writeStalled() { abort() }
    /// Whether what a peer had sent is still read to its end when it is gone: when writing to it fails, or when it hangs up while
    /// reading is paused.
    open var readsToTheEnd: Bool { false }
    /// Asked before the socket closes: whether it may, or the subclass has something to do first in later turns, and calls
    /// `closePutOff` then. The socket has no other callback in between.
    open func mayClose() -> Bool { true }
    /// The connection is over; called once, before the descriptor closes. Writing is without effect by now.
    open func didClose() {}

    // MARK: Verbs

    /// Whether bytes written now still have a way to the peer.
    public final var isWritable: Bool { flags.isDisjoint(with: [.finishing, .lingering, .closing, .securing, .mute]) }

    /// Whether what is queued waits for the peer to read.
    public final var isBlocked: Bool { flags.contains(.blocked) }

    /// Sets the time after which `deadlineReached` is called; nil takes it back.
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

    /// Hangs up politely: what is queued is written, then the end is announced. What still arrives is swallowed, as far as
    /// `endAllowance` reaches.
    /// - Parameter within: the milliseconds that the peer has for all of it. Nil: as long as it goes on taking what is queued, which
    ///   `EventLoop.writeTimeout` judges.
    public final func finish(within: UInt64? = 5_000) {
        guard beginToFinish() else { return }
        setDeadline(milliseconds: within)
    }

    /// The same, within the deadline that is set.
    public final func finishByDeadline() { _ = beginToFinish() }

    private func beginToFinish() -> Bool {
        // Nothing was said, and nothing can be.
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

    /// Hangs up at the end of the turn, whatever is queued.
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

    /// Lets `receivedPreamble` have what arrives first: bytes that somebody on the way has put in front of the peer's own.
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

    /// Whether all was read, or nothing more of it matters: a peer that then hangs up for good is gone.
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

    /// Bytes that are not for the protocol, or not all of them: swallowed at the end, a preamble at the beginning. And the last
    /// ones of a peer that is gone.
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

    /// Ends a socket whose peer is gone when there is nothing left of what the peer had sent. While reading is paused, the subclass
    /// may have some of it.
    final func abortIfAllIsRead() {
        if !flags.contains(.paused) && clinux_unread(descriptor) <= 0 { abort() }
    }

    /// Takes what came after the end was decided off what may still come. The peer's time is bounded too; but what it sends
    /// meanwhile would cost us as much as if it mattered.
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
        // It is read and written no more, and may be suspended.
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

    /// Everything queued has been written: what comes then.
    final func outputIsEmpty() {
        guard flags.contains(.finishing), !flags.contains(.lingering), closeTLS() else { return }
        if flags.contains(.ended) { return abort() }
        linger()
    }

    /// Announces the end, and swallows what still arrives until the peer hangs up.
    final func linger() {
        flags.insert([.finishing, .lingering])
        shutdown(descriptor, Int32(SHUT_WR))
        loop.shortenDeadline(to: Self.lingerTime, of: self)
    }

    /// The deadline of a socket that is being hung up belongs to the socket, any other to the subclass.
    final func deadlineExpired() {
        guard !flags.contains(.closing) else { return }
        if flags.isDisjoint(with: [.finishing, .lingering]) { deadlineReached() } else { abort() }
    }

    /// The peer takes nothing. Who was told so before it may have hung this one up.
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

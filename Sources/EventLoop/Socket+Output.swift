// The output of a socket. Bytes are gathered during the turn and written once at its end; bytes that the kernel refuses
// wait until it has room.
//
// Allocates: nothing for a peer that keeps up; a queue for one that does not, or for a turn that mixes own and shared
// bytes.
// Read next: OutputQueue.swift.

import CLinux
import Glibc

/// The bytes that a socket has to write.
enum Output {
    case empty
    /// A slice of the loop's turn buffer.
    case turn(TurnBuffer.Slice)
    /// One piece of memory that others may be sending too; `owner` keeps it alive.
    case shared(owner: AnyObject, bytes: UnsafeRawBufferPointer)
    case queue(OutputQueue)
}

extension Socket {
    /// Writes `count` bytes that `fill` puts at the address it is given.
    public final func write(count: Int, _ fill: (UnsafeMutableRawPointer) -> Void) {
        guard count > 0, isWritable else { return }
        if case .queue(let queue) = output, queue.isDetached || flags.contains(.blocked) {
            fill(queue.reserve(count))
        } else if let address = reserveInTurn(count) {
            fill(address)
        } else {
            fill(detachedQueue().reserve(count))
        }
        // Not earlier: making room may flush this socket, and the flush must not wait for bytes that are not there yet.
        queuedBytes += count
        markDirty()
    }

    /// Writes a copy of `bytes`.
    public final func write(_ bytes: UnsafeRawBufferPointer) {
        write(count: bytes.count) { $0.copyMemory(from: bytes.baseAddress!, byteCount: bytes.count) }
    }

    /// Writes bytes that stay in place; `owner` is kept alive until they are sent.
    public final func write(shared bytes: UnsafeRawBufferPointer, owner: AnyObject) {
        guard bytes.count > 0, isWritable else { return }
        switch output {
        case .empty:
            output = .shared(owner: owner, bytes: bytes)
        case .queue(let queue) where flags.contains(.blocked) && bytes.count <= OutputQueue.copyLimit:
            queue.append(copying: bytes)
        case .turn, .shared, .queue:
            queueForMixedOutput().append(.shared(owner: owner, bytes: bytes))
        }
        queuedBytes += bytes.count
        markDirty()
    }

    /// Writes two pieces that belong together from where they are, without waiting for the end of the turn: for large
    /// messages, whose copying would cost more than the system call that it saves. Bytes that the kernel does not take
    /// are copied and queued.
    public final func writeThrough(_ head: UnsafeRawBufferPointer, _ body: UnsafeRawBufferPointer) {
        guard isWritable else { return }
        if tls != nil { return encryptThrough(head, body) }
        flushNow()
        // The flush may have found that the peer is gone.
        guard isWritable else { return }
        var sent = 0
        if queuedBytes == 0 && flags.isDisjoint(with: [.blocked, .closing]) {
            sent = withUnsafeTemporaryAllocation(of: iovec.self, capacity: 2) { vector in
                vector[0] = iovec(head)
                vector[1] = iovec(body)
                return SystemWrite.send(UnsafeBufferPointer(vector), to: descriptor)
            }
            if sent < 0 { return writeFailed(sent) }
        }
        guard sent < head.count + body.count else { return }
        if sent < head.count { write(UnsafeRawBufferPointer(rebasing: head[sent...])) }
        let sentOfBody = max(0, sent - head.count)
        if sentOfBody < body.count { write(UnsafeRawBufferPointer(rebasing: body[sentOfBody...])) }
    }

    /// Encrypting copies anyway; it is enough that both pieces share their records.
    private func encryptThrough(_ head: UnsafeRawBufferPointer, _ body: UnsafeRawBufferPointer) {
        if !head.isEmpty { write(head) }
        if !body.isEmpty { write(body) }
        flushNow()
    }

    /// Tries to hand the queued bytes to the kernel now, without waiting for the end of the turn. Call it before you
    /// judge a queue to be too long.
    public final func flushNow() {
        guard flags.isDisjoint(with: [.blocked, .closing]) else { return }
        flush()
    }

    // MARK: Gathering

    private func reserveInTurn(_ count: Int) -> UnsafeMutableRawPointer? {
        if count > loop.turnBuffer.capacityLeft {
            guard count <= TurnBuffer.capacity / 2 else { return nil }
            loop.flushDirty()
            // The flush may have blocked this socket, and then its bytes belong into its queue; or its peer is gone.
            if !flags.isDisjoint(with: [.blocked, .mute]) { return detachedQueue().reserve(count) }
        }
        guard let (slice, address) = loop.turnBuffer.reserve(count) else { return nil }
        if case .empty = output {
            output = .turn(slice)
        } else if case .turn(let earlier) = output, let joined = earlier.joined(with: slice) {
            output = .turn(joined)
        } else {
            queueForMixedOutput().append(.turn(slice))
        }
        return address
    }

    /// The queue, holding what was output before, in order.
    private func queueForMixedOutput() -> OutputQueue {
        if case .queue(let queue) = output { return queue }
        let queue = OutputQueue()
        switch output {
        case .empty, .queue: break
        case .turn(let slice): queue.append(.turn(slice))
        case .shared(let owner, let bytes): queue.append(.shared(owner: owner, bytes: bytes))
        }
        output = .queue(queue)
        return queue
    }

    /// The queue, into which bytes are written directly from here on, because they do not fit the turn buffer.
    private func detachedQueue() -> OutputQueue {
        let queue = queueForMixedOutput()
        queue.isDetached = true
        return queue
    }

    // MARK: Writing

    /// Hands the queued bytes to the kernel. It runs no callback, because the loop may be going through its sockets, or
    /// another socket may be in the middle of a write.
    final func flush() {
        flags.remove(.dirty)
        guard flags.isDisjoint(with: [.closing, .mute]) else { return }
        let result = writeOutput()
        if result < 0 { return writeFailed(result) }
        queuedBytes -= result
        guard queuedBytes == 0 else { return block(hasProgressed: result > 0) }
        output = .empty
        guard tls?.isDrained ?? true else { return block(hasProgressed: result > 0) }
        if flags.contains(.blocked) {
            flags.remove(.blocked)
            loop.stalls.end(token)
            updateInterest()
        }
        outputIsEmpty()
    }

    /// The kernel has room again for a blocked socket. Only this function calls `drained`.
    final func becameWritable() {
        let wasBlocked = flags.contains(.blocked)
        flush()
        if wasBlocked && !flags.contains(.blocked) && isWritable { drained() }
    }

    /// Keeps the rest of this turn's bytes and waits for room. From here on epoll decides when the socket writes, not
    /// the end of the turn.
    final func block(hasProgressed: Bool) {
        flags.remove(.dirty)
        guard queueForMixedOutput().keep(turn: loop.turnBuffer) else { return writeFailed(OutputQueue.stale) }
        if hasProgressed || !flags.contains(.blocked) { loop.noteProgress(self) }
        guard !flags.contains(.blocked) else { return }
        flags.insert(.blocked)
        updateInterest()
    }

    /// The connection is broken. A peer that is gone may have sent bytes before, which are read first. Stale output
    /// ends the connection too: a release build sends none of it.
    /// - Parameter isReading: whether bytes of the peer are about to be handed over.
    final func writeFailed(_ code: Int, isReading: Bool = false) {
        assert(code != OutputQueue.stale, "output of a turn that is over")
        guard code == -Int(EPIPE) || code == -Int(ECONNRESET), readsToTheEnd,
            flags.isDisjoint(with: [.ended, .finishing, .lingering, .preamble, .securing]),
            isReading || flags.contains(.paused) || clinux_unread(descriptor) > 0
        else { return abort() }
        flags.insert(.mute)
        output = .empty
        queuedBytes = 0
        tls?.dropOutput()
        guard flags.contains(.blocked) else { return }
        flags.remove(.blocked)
        loop.stalls.end(token)
        updateInterest()
    }

    /// Returns the number of bytes that the kernel took, negative when the connection is broken. The rest is in
    /// `output`.
    private func writeOutput() -> Int {
        if let tls {
            let sent = tls.flush(to: descriptor)
            if sent < 0 { return sent }
            if sent > 0 { loop.noteProgress(self) }
            guard tls.isDrained else { return 0 }
        }
        switch output {
        case .empty:
            return 0
        case .turn(let slice):
            guard let bytes = loop.turnBuffer.bytes(of: slice) else { return OutputQueue.stale }
            return writeWhole(bytes) { .turn(slice.dropping($0)) }
        case .shared(let owner, let bytes):
            return writeWhole(bytes) { sent in
                .shared(owner: owner, bytes: UnsafeRawBufferPointer(rebasing: bytes[sent...]))
            }
        case .queue(let queue):
            return if let tls {
                queue.write(through: tls, to: descriptor, turn: loop.turnBuffer, gather: loop.gatherBuffer)
            } else {
                queue.write(to: descriptor, turn: loop.turnBuffer, gather: loop.gatherBuffer)
            }
        }
    }

    private func writeWhole(_ bytes: UnsafeRawBufferPointer, rest: (Int) -> Output) -> Int {
        let sent = transmit(bytes)
        if sent >= 0 && sent < bytes.count {
            output = rest(sent)
            _ = queueForMixedOutput()
        }
        return sent
    }
}

// Frames out, and the Close frame. Every byte for a client passes the one check of the queue's limit here.
//
// Allocates: a form of a message, when this client is the first that needs it.
// Read next: ../../Clients/Backlog.swift, EventLoop/Socket+Output.swift.

import ClientProtocols
import EventLoop
import PubSub
import Scripting
import Settings
import WebSocket

extension ClientConnection {
    /// Frames for many that are on their way come before a frame that is sent now.
    @inline(__always)
    func catchUp() {
        if lastWideSend != worker.walks.newest { worker.walks.catchUp(self) }
    }

    /// Encodes a message for this client alone.
    func send(_ payload: UnsafeRawBufferPointer, binary: Bool) -> SendResult {
        catchUp()
        guard phase == .open else { return .closed }
        guard wireForm == .raw else { return sendEncoded(payload, binary: binary) }
        let size = FrameHeader.size(payload: payload.count) + payload.count
        guard hasRoom(size, orElse: worker.rules.onFullQueue) else { return .slow }
        if hasBacklog {
            extras?.value.backlog?.append(binary ? .binary(payload) : .text(payload))
        } else {
            writeMessage(payload, binary: binary)
        }
        return .sent
    }

    /// Queues a message that others get, too.
    func send(_ frame: Frame, whenFull policy: Configuration.WebSocket.FullQueuePolicy) -> SendResult {
        if wireForm == .raw { return sendAsIs(frame, whenFull: policy) }
        guard phase == .open else { return .closed }
        return encoded(frame).map { sendAsIs($0, whenFull: policy) } ?? .unsupported
    }

    /// Queues a frame that is in the client's form.
    func sendAsIs(_ frame: Frame, whenFull policy: Configuration.WebSocket.FullQueuePolicy) -> SendResult {
        catchUp()
        guard phase == .open else { return .closed }
        guard hasRoom(countToQueue(frame), orElse: policy) else { return .slow }
        if hasBacklog { extras?.value.backlog?.append(frame) } else { writeMessage(frame) }
        return .sent
    }

    func deliver(_ publication: Publication, _ policy: SlowConsumerPolicy) -> Delivery {
        if policy != .close { return deliver(publication, waiting: policy) }
        guard wireForm == .raw else {
            guard phase == .open, let frame = encoded(publication) else { return .dropped }
            return sendAsIs(frame, whenFull: .close) == .sent ? .queued : .dropped
        }
        return sendAsIs(publication.frame, whenFull: .close) == .sent ? .queued : .dropped
    }

    /// A control frame does not wait behind messages.
    func sendControl(_ opcode: Opcode, _ payload: UnsafeRawBufferPointer) {
        let size = FrameHeader.size(payload: payload.count) + payload.count
        guard hasRoom(size, orElse: worker.rules.onFullQueue) else { return }
        writeFrame(opcode, payload)
    }

    /// Writes a message for this client alone, compressed where that was agreed on and is worth it.
    private func writeMessage(_ payload: UnsafeRawBufferPointer, binary: Bool) {
        countMessageOut()
        if deflate != nil, writeCompressed(payload, binary: binary) { return }
        writeFrame(binary ? .binary : .text, payload)
    }

    /// Writes a message that others get too, in the form that was agreed on.
    func writeMessage(_ frame: Frame) {
        var form = frame
        if let deflate {
            guard let agreed = self.form(of: frame, deflate) else {
                return writeMessage(frame.payload, binary: frame.isBinary)
            }
            form = agreed
        }
        write(shared: form.bytes, owner: form.owner)
        countBytesOut(form.count)
        countMessageOut()
    }

    /// Begins the closing handshake; false when it is over already. The script's onClose does not run in here, because this may be
    /// called from within a handler, or while a publication is being delivered.
    /// - Parameter cause: the reason of the server's own; nil when a script or an operator has asked for it.
    @discardableResult
    func close(_ code: CloseCode, reason: String, cause: CloseReason? = nil) -> Bool {
        catchUp()
        guard phase == .open else { return false }
        phase = .closing
        writeEnd(code, reason: reason, cause)
        setDeadline(milliseconds: worker.rules.closeTimeout)
        ends(code, reason: reason)
        return true
    }

    /// Closes for a reason of the server's own.
    /// - Parameter text: the reason for this peer, where it differs from the common one.
    func close(_ reason: CloseReason, reason text: String? = nil) {
        guard close(reason.code, reason: text ?? reason.text, cause: reason) else { return }
        worker.count(reason)
        worker.logClose(self, reason)
    }

    /// Our close frame is not answered in time. In a drain, a peer that has not been sent all of its messages yet has the grace
    /// time.
    func closeIsLate() {
        if worker.shutdown.isDraining && queuedBytes > 0 { return setDeadline(milliseconds: worker.rules.closeTimeout) }
        worker.count(.closeTimeout)
        abort()
    }

    /// Whether `size` more bytes may be queued. A client that keeps up always has room: the output of a turn is first
    /// offered to the kernel. Any other client is closed as a slow consumer, or only this message is refused.
    private func hasRoom(
        _ size: @autoclosure () -> Int, orElse policy: Configuration.WebSocket.FullQueuePolicy
    ) -> Bool {
        guard queueCost > 0, queueCost + size() > worker.rules.maxQueue else { return true }
        flushNow()
        guard queueCost > 0, queueCost + size() > worker.rules.maxQueue else { return true }
        switch policy {
        case .close: close(.slowConsumer)
        case .refuse: worker.statistics.messagesRefused += 1
        }
        return false
    }

    func writeFrame(_ opcode: Opcode, _ payload: UnsafeRawBufferPointer, compressed: Bool = false) {
        let size = FrameHeader.size(payload: payload.count) + payload.count
        countBytesOut(size)
        guard payload.count < Self.largePayload else {
            return writeLargeFrame(opcode, payload, compressed: compressed)
        }
        write(count: size) { address in
            let headerSize = FrameHeader.write(
                opcode: opcode, compressed: compressed, payload: payload.count, to: address)
            if let start = payload.baseAddress {
                (address + headerSize).copyMemory(from: start, byteCount: payload.count)
            }
        }
    }

    /// Payloads from this size on are sent from where they are.
    private static let largePayload = 8 << 10

    private func writeLargeFrame(_ opcode: Opcode, _ payload: UnsafeRawBufferPointer, compressed: Bool) {
        withUnsafeTemporaryAllocation(byteCount: FrameHeader.maxCount, alignment: 8) { header in
            let size = FrameHeader.write(
                opcode: opcode, compressed: compressed, payload: payload.count, to: header.baseAddress!)
            writeThrough(UnsafeRawBufferPointer(rebasing: header[..<size]), payload)
        }
    }

    /// Writes a Close frame behind all waiting messages; without a code its body is empty.
    func writeClose(_ code: CloseCode?, reason: String) {
        spillBacklog()
        guard let code, code.isValidOnWire else {
            return writeFrame(.close, UnsafeRawBufferPointer(start: nil, count: 0))
        }
        let frame = Frame.close(code, reason: reason)
        write(shared: frame.bytes, owner: frame.owner)
        countBytesOut(frame.count)
    }

    private func countMessageOut() {
        messagesOut &+= 1
        worker.statistics.messagesOut &+= 1
    }

    private func countBytesOut(_ count: Int) {
        bytesOut += UInt64(count)
        worker.statistics.bytesOut += UInt64(count)
    }

    // MARK: The client's form

    /// A message that others get too, in this client's form; nil where the form cannot carry it.
    func encoded(_ frame: Frame) -> Frame? {
        frame.encoded(in: wireForm) {
            extras?.value.conversation?.encode(frame.payload, binary: frame.isBinary, of: nil)
        }
    }

    /// The same of a publication.
    func encoded(_ publication: Publication) -> Frame? {
        publication.frame.encoded(in: wireForm) {
            extras?.value.conversation?.encode(
                publication.frame.payload, binary: publication.frame.isBinary, of: publication)
        }
    }

    /// Sends a message to this client alone.
    func sendEncoded(_ payload: UnsafeRawBufferPointer, binary: Bool) -> SendResult {
        guard let frame = extras?.value.conversation?.encode(payload, binary: binary, of: nil) else {
            return .unsupported
        }
        return sendAsIs(frame, whenFull: worker.rules.onFullQueue)
    }

    /// Writes the Close frame of an end that the server has decided.
    /// - Parameter cause: nil when a script or an operator has asked for it.
    func writeEnd(_ code: CloseCode, reason text: String, _ cause: CloseReason?) {
        guard let conversation = extras?.value.conversation else { return writeClose(code, reason: text) }
        let end: ConnectionEnd = if let cause { .reason(cause, text: text) } else { .asked(code, text: text) }
        let said = conversation.end(end)
        writeClose(said.code, reason: said.reason)
    }

    // MARK: Compression (RFC 7692)

    /// Compresses a message for this client alone and writes it; false when it is to be sent as it is.
    func writeCompressed(_ payload: UnsafeRawBufferPointer, binary: Bool) -> Bool {
        guard let deflate, let compression = worker.compression, compression.isWorthwhile(payload.count) else {
            return false
        }
        let compressed =
            deflate.serverTakesOver
            ? compression.deflate(payload, with: makeWindows().deflater(deflate, compression.policy))
            : compression.deflate(payload, windowBits: Int(deflate.serverWindowBits))
        guard let compressed else { return false }
        writeFrame(binary ? .binary : .text, compressed, compressed: true)
        return true
    }

    /// The form in which this client gets a frame that others get too; nil when it is compressed for this client alone.
    func form(of frame: Frame, _ deflate: DeflateParameters) -> Frame? {
        guard let compression = worker.compression else { return frame }
        if deflate.serverTakesOver { return compression.isWorthwhile(frame.payloadCount) ? nil : frame }
        return compression.form(of: frame, windowBits: Int(deflate.serverWindowBits))
    }

    /// The bytes that a frame adds to the queue: those of the form that goes to the socket, or of the frame itself where it
    /// waits as a message, or is compressed only when it is written.
    func countToQueue(_ frame: Frame) -> Int {
        guard let deflate, !hasBacklog, let form = form(of: frame, deflate) else { return frame.count }
        return form.count
    }

    /// The windows of this client alone, made for its first compressed message.
    func makeWindows() -> OwnWindows {
        let extras = makeExtras()
        if let windows = extras.value.windows { return windows }
        let made = OwnWindows()
        extras.value.windows = made
        return made
    }
}

// Publications that wait for a slow client where the channel's policy lets them give way: they stay messages, in a backlog, until
// the socket is free again, while all other bytes wait in the socket. Once there is a backlog every later message joins it, so
// the order stays.

extension ClientConnection {
    /// Bytes that the kernel has not taken yet.
    var waitingBytes: Int { hasBacklog ? queuedBytes + (extras?.value.backlog?.byteCount ?? 0) : queuedBytes }

    /// The bytes that count against `websocket.maxQueue`.
    var queueCost: Int { hasBacklog ? queuedBytes + (extras?.value.backlog?.cost ?? 0) : queuedBytes }

    /// Delivers at once to a client that keeps up, and to any other as the policy says.
    func deliver(_ publication: Publication, waiting policy: SlowConsumerPolicy) -> Delivery {
        catchUp()
        guard phase == .open, let frame = wireForm == .raw ? publication.frame : encoded(publication) else {
            return .dropped
        }
        if !hasBacklog && !isBlocked {
            // The kernel is first offered the output of this turn.
            if queuedBytes > 0 && queuedBytes + frame.count > worker.rules.maxQueue { flushNow() }
            if !isBlocked {
                writeMessage(frame)
                return .queued
            }
        }
        let backlog = extras?.value.backlog ?? Backlog()
        guard let displaced = backlog.append(frame, of: publication, policy, limit: worker.rules.maxQueue - queuedBytes)
        else {
            // The client would keep an old state for ever.
            if policy == .conflate { close(.slowConsumer) }
            return .dropped
        }
        keep(backlog)
        return displaced == 0 ? .queued : .displaced(displaced)
    }

    /// Hands the backlog to the socket, because the next frame must come after it.
    func spillBacklog() {
        guard hasBacklog, let backlog = extras?.value.backlog else { return }
        while let frame = backlog.popFirst() { writeMessage(frame) }
        dropBacklog()
    }

    /// Handed to the kernel in one piece, roughly.
    private static let batch = 64 << 10

    /// The socket has written its queue: the backlog follows, as much as the kernel takes.
    func sendBacklog() {
        guard let backlog = extras?.value.backlog else { return }
        while !isBlocked, isWritable, let frame = backlog.popFirst() {
            writeMessage(frame)
            if queuedBytes >= Self.batch || backlog.isEmpty { flushNow() }
        }
        if backlog.isEmpty { dropBacklog() }
    }

    private func keep(_ backlog: Backlog) {
        guard !hasBacklog else { return }
        makeExtras().value.backlog = backlog
        hasBacklog = true
    }

    private func dropBacklog() {
        extras?.value.backlog = nil
        hasBacklog = false
    }
}

// Frames in: the decoder finds them, and the connection acts on them. A message goes to the script, through the conversation
// where the client speaks more than raw frames: its messages become requests, which are performed here. Clients of raw frames
// come to none of that: one byte says so.
//
// Read next: WebSocket/MessageDecoder.swift, ClientProtocols/ClientProtocol.swift, ../../Clients/RateLimit.swift.

import ClientProtocols
import EventLoop
import Scripting
import WebSocket

extension ClientConnection {
    func receiveFrames(_ bytes: UnsafeMutableRawBufferPointer) {
        bytesIn += UInt64(bytes.count)
        worker.statistics.bytesIn += UInt64(bytes.count)
        if worker.rules.rates.isOn || isBusy || worker.turns.slice.isOver { return receiveWithinLimits(bytes) }
        var input = bytes
        takeFrames(&input, nil)
        if isQueueFull || isDeferred && phase == .open { holdBack(input) }
    }

    func countMessageIn() {
        messagesIn &+= 1
        worker.statistics.messagesIn &+= 1
    }

    /// Handles the frames at the front of `input`. With a meter, as far as its tokens reach; the rest is left.
    func takeFrames(_ input: inout UnsafeMutableRawBufferPointer, _ meter: RateMeter?) {
        let limit = worker.rules.maxMessage
        let fragments = worker.rules.maxFragments
        while true {
            if let meter, phase == .open, !input.isEmpty, meter.isOutOfMessages { return }
            if isBusy, isQueueFull { return }
            switch decoder.next(&input, maxMessage: limit, maxFragments: fragments) {
            case .needMore:
                return
            case .message(let payload, let binary):
                guard phase == .open else { continue }
                guard meter?.takeMessage() ?? true else { return fail(.rateExceeded) }
                countMessageIn()
                worker.message(self, payload, binary: binary)
                if worker.turns.mustYield(.message, script), yields(before: input) { return }
            case .compressed(let payload, let binary):
                guard phase == .open else { continue }
                guard meter?.takeMessage() ?? true else { return fail(.rateExceeded) }
                if let fault = receiveCompressed(payload, binary: binary) { return fail(fault) }
                if worker.turns.mustYield(.message, script), yields(before: input) { return }
            case .ping(let payload):
                guard phase == .open else { continue }
                guard meter?.takeMessage() ?? true else { return fail(.rateExceeded) }
                sendControl(.pong, payload)
            case .pong(let payload):
                guard phase == .open else { continue }
                guard meter?.takeMessage() ?? true else { return fail(.rateExceeded) }
                keepalive.pong(payload, clock: KeepaliveWatch.microseconds)
            case .close(let code, let reason):
                return peerCloses(code, reason)
            case .failure(let reason):
                return fail(reason)
            }
        }
    }

    /// The peer's Close frame: answered with the same code when it opens the closing handshake (RFC 6455, 5.5.1).
    private func peerCloses(_ code: CloseCode?, _ reason: UnsafeRawBufferPointer) {
        switch phase {
        case .open:
            phase = .closed
            let text = String(decoding: reason, as: UTF8.self)
            writeClose(code, reason: "")
            finish(within: worker.rules.closeTimeout)
            hasEnded(code ?? .noStatus, reason: text)
        case .closing:
            phase = .closed
            finishByDeadline()
        case .handshake, .closed:
            break
        }
    }

    /// A breach of the protocol or of a limit: the peer gets the reason, and need not answer (RFC 6455, 7.1.7). The
    /// script is told at the end of the turn.
    func fail(_ reason: CloseReason) {
        let wasOpen = phase == .open
        phase = .closed
        // A peer that was told already gets no more time.
        guard wasOpen else { return finishByDeadline() }
        writeEnd(reason.code, reason: reason.text, reason)
        finish(within: worker.rules.closeTimeout)
        worker.count(reason)
        worker.logClose(self, reason)
        ends(reason.code, reason: reason.text)
    }

    // MARK: Messages

    /// Inflates a message and hands it to the script; answers the breach, nil when there is none.
    func receiveCompressed(_ payload: UnsafeRawBufferPointer, binary: Bool) -> CloseReason? {
        guard let deflate, let compression = worker.compression else { return .internalError }
        let own = deflate.clientTakesOver ? makeWindows().inflater(deflate) : nil
        switch compression.inflate(payload, binary: binary, with: own, maxMessage: worker.rules.maxMessage) {
        case .message(let message):
            countMessageIn()
            worker.message(self, message, binary: binary)
            return nil
        case .failure(let reason):
            return reason
        }
    }

    /// The client has chosen a protocol.
    func begin(_ conversation: any ClientProtocol) {
        makeExtras().value.conversation = conversation
        wireForm = conversation.form
    }

    /// Performs the requests of a message, one after the other. When a handler waits, or the slice is used up, the rest of the
    /// message waits in front of all other events.
    func converse(_ message: UnsafeRawBufferPointer, binary: Bool) {
        guard let conversation = extras?.value.conversation else { return }
        if extras?.value.pending?.beginsWithRest == true { return queue(.message(Array(message), binary: binary)) }
        let wasOpen = phase == .open
        var rest = message
        while let request = conversation.next(&rest, binary: binary) {
            switch request {
            case .message(let payload, let binary):
                worker.perform(worker.engine.onMessage(script, handle, payload, binary: binary), on: self)
            case .breach(let reason):
                return close(reason)
            }
            // A request that ends the connection is the last one. A message from before the end is performed to its end.
            if rest.isEmpty || wasOpen && phase != .open { return }
            if isBusy || worker.turns.mustYield(.message, script) { return keep(rest, binary: binary) }
        }
    }

    private func keep(_ rest: UnsafeRawBufferPointer, binary: Bool) {
        let pending = makePending()
        pending.putBack(Array(rest), binary: binary)
        if !isBusy { _ = yields(before: pending) }
    }
}

// Clients whose input has to wait: because their rate is limited, or because enough events wait behind a handler that waits
// itself. The connection keeps the received bytes that are not handled yet, and reads no more. The rate's pause ends at the
// connection's deadline, which an open connection has no other use for. Order is kept, no byte is lost, and frames before a
// Close frame are handled before it.

extension ClientConnection {
    private var meter: RateMeter? { worker.rules.rates.isOn ? extras?.value.meter : nil }

    /// Whether nothing is read from this client at the moment.
    var isHeldBack: Bool { extras?.value.held != nil }

    /// Begins to count the client's messages and bytes.
    func limitRate(_ limit: RateLimit) {
        makeExtras().value.meter = RateMeter(limit, now: loop.now)
    }

    /// Handles received bytes, as far as the client's tokens and its queue reach.
    func receiveWithinLimits(_ bytes: UnsafeMutableRawBufferPointer) {
        var input = bytes
        guard phase == .open else { return takeFrames(&input, nil) }
        if let meter {
            meter.fill(at: loop.now)
            guard meter.takeBytes(bytes.count) else { return fail(.rateExceeded) }
        }
        if let held = extras?.value.held { return held.append(bytes) }
        if isDeferred || waitsWithInput(of: input.count) { return holdBack(input) }
        takeFrames(&input, meter)
        guard phase == .open, let pause = pause(before: input) else { return }
        if pause > 0 { worker.statistics.readsDelayed += 1 }
        holdBack(input)
        if pause > 0 { setDeadline(milliseconds: pause) }
    }

    /// Reads no more.
    func holdBackAll() {
        if !isHeldBack { holdBack(UnsafeMutableRawBufferPointer(start: nil, count: 0)) }
    }

    /// Keeps the bytes that are not handled, and reads no more.
    func holdBack(_ unhandled: UnsafeMutableRawBufferPointer) {
        if let held = extras?.value.held { return held.append(unhandled) }
        setReading(false)
        makeExtras().value.held = HeldInput(copying: unhandled)
    }

    /// Goes on with a client that was held back: its time has come, its queue has room, or its connection is being closed and
    /// only its Close frame is still of interest.
    func handleHeld() {
        guard let held = extras?.value.held, !isDeferred || phase != .open else { return }
        guard phase != .handshake else {
            // Refused: the bytes behind its request are no frame.
            extras?.value.held = nil
            return setReading(true)
        }
        // The client was not silent; it was not read.
        keepalive.awaitsAnswer = false
        meter?.fill(at: loop.now)
        var input = held.rest
        takeFrames(&input, meter)
        if phase == .open, let pause = pause(before: input) {
            held.keep(input)
            if pause > 0 { setDeadline(milliseconds: pause) }
            return
        }
        extras?.value.held = nil
        setReading(true)
    }

    /// Milliseconds until `input` can be handled, 0 when that is not a matter of time; nil when it need not wait.
    private func pause(before input: UnsafeMutableRawBufferPointer) -> UInt64? {
        if isQueueFull || isDeferred { return 0 }
        guard let wait = meter?.wait(with: input), wait > 0 else { return nil }
        return wait
    }
}

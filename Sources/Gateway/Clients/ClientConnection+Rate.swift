// Clients whose input has to wait: because their rate is limited, or because enough events wait behind a handler that waits
// itself. What was received and is not handled yet is kept, nothing more is read, and an end of the rate's pause is the
// connection's deadline, which an open connection has no other use for. Order is kept, nothing is lost, and what a client has
// sent before its Close frame is handled before it.
//
// Read next: RateMeter.swift, HeldInput.swift.

import EventLoop
import WebSocket

extension ClientConnection {
    private var meter: RateMeter? { worker.rates.isOn ? extras?.value.meter : nil }

    /// Whether nothing is read from this client at the moment.
    var isHeldBack: Bool { extras?.value.held != nil }

    /// Begins to count what the client sends.
    func limitRate(_ limit: RateLimit) {
        makeExtras().value.meter = RateMeter(limit, now: loop.now)
    }

    /// Handles what was received, as far as the client's tokens and its queue reach.
    func receiveWithinLimits(_ bytes: UnsafeMutableRawBufferPointer) {
        var input = bytes
        guard phase == .open else { return takeFrames(&input, nil) }
        if let meter {
            meter.fill(at: loop.now)
            guard meter.takeBytes(bytes.count) else { return fail(.rateExceeded) }
        }
        if let held = extras?.value.held { return held.append(bytes) }
        if isDeferred || mustWaitForTurn {
            waitForTurn()
            return holdBack(input)
        }
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

    /// Keeps what is not handled, and reads no more.
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
            // Refused: what it has sent behind its request is no frame.
            extras?.value.held = nil
            return setReading(true)
        }
        // Who could not be heard was not silent.
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

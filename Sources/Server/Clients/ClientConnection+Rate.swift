// Clients whose rate is limited. A client that runs out of tokens in the middle of what was received is held back: the rest is
// kept, nothing more is read, and the connection's deadline, which an open connection has no other use for, says when to go on.
// Order is kept, nothing is lost, and what a client has sent before its Close frame is handled before it.
//
// Read next: RateMeter.swift.

import EventLoop
import WebSocket

extension ClientConnection {
    private var meter: RateMeter? { worker.rates.isOn ? extras?.value.meter : nil }

    /// Whether nothing is read from this client at the moment because it has sent too much.
    var isHeldBack: Bool { meter?.holds ?? false }

    /// Begins to count what the client sends.
    func limitRate(_ limit: RateLimit) {
        makeExtras().value.meter = RateMeter(limit, now: loop.now)
    }

    /// Handles what was received, as far as the client's tokens reach.
    func receiveMetered(_ bytes: UnsafeMutableRawBufferPointer) {
        var input = bytes
        guard let meter, phase == .open else { return takeFrames(&input, nil) }
        meter.fill(at: loop.now)
        guard meter.takeBytes(bytes.count) else { return fail(.rateExceeded) }
        guard !meter.holds else { return meter.holdMore(bytes) }
        takeFrames(&input, meter)
        let wait = meter.wait(with: input)
        guard phase == .open, wait > 0 else { return }
        worker.statistics.readsDelayed += 1
        setReading(false)
        holdBack(input, meter, for: wait)
    }

    private func holdBack(_ unhandled: UnsafeMutableRawBufferPointer, _ meter: RateMeter, for wait: UInt64) {
        meter.hold(unhandled)
        setDeadline(milliseconds: wait)
    }

    /// Goes on with a client that was held back: its time has come, or its connection is being closed and only its Close frame
    /// is still of interest.
    func handleHeldBack() {
        guard let meter, meter.holds else { return }
        // Who could not be heard was not silent.
        keepalive.awaitsAnswer = false
        meter.fill(at: loop.now)
        var input = meter.rest
        takeFrames(&input, meter)
        let wait = meter.wait(with: input)
        if phase == .open, wait > 0 { return holdBack(input, meter, for: wait) }
        meter.letGo()
        setReading(true)
    }
}

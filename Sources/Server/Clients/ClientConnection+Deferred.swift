// A connection whose events have used up the turn's slice: the rest of its input is kept, nothing more is read, and it goes on when
// its turn comes, in order. TCP slows the client down meanwhile.
//
// Read next: HeldInput.swift, ../Worker/FairTurns/Worker+Deferred.swift.

import EventLoop
import Scripting
import WebSocket

extension ClientConnection {
    /// Whether input that has just come is to wait: the slice is used up several times, or this connection is one of those that
    /// use slices up.
    var mustWaitForTurn: Bool {
        let slice = worker.turns.slice
        return slice.isFarOver || slice.isOver && usesSlicesUp
    }

    /// An event of this connection has used the slice up; whether what is behind it waits.
    func yields(before input: UnsafeMutableRawBufferPointer) -> Bool {
        usesSlicesUp = true
        guard !isBusy, phase == .open, !input.isEmpty else { return false }
        waitForTurn()
        return true
    }

    /// The same for events that had to wait for a handler.
    func yields(before events: PendingEvents) -> Bool {
        usesSlicesUp = true
        guard !isBusy, phase == .open, !events.isEmpty || isHeldBack else { return false }
        waitForTurn()
        if !isHeldBack { holdBack(UnsafeMutableRawBufferPointer(start: nil, count: 0)) }
        return true
    }

    /// Joins the rotation. The caller holds the input back.
    func waitForTurn() {
        guard !isDeferred else { return }
        isDeferred = true
        worker.putOff(self)
    }

    /// The connection's turn in the rotation.
    func takeTurn() {
        guard isDeferred else { return }
        isDeferred = false
        usesSlicesUp = false
        if phase == .handshake { return takeRequest() }
        if !isBusy, extras?.value.pending != nil { runPendingEvents() } else { handleHeld() }
    }

    /// Goes on with a request that came when the slice was used up.
    private func takeRequest() {
        guard let held = extras?.value.held, !isBusy else { return }
        extras?.value.held = nil
        guard isWritable else { return }
        setReading(true)
        withExtendedLifetime(held) { receiveRequest(held.rest) }
    }
}

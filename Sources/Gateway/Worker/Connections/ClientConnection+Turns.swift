// A connection whose events have used up the turn's slice: the rest of its input is kept, nothing more is read, and it goes on when
// its turn comes, in order. TCP slows the client down meanwhile.
//
// Read next: ../../Clients/PendingEvents.swift, ../FairTurns/Rotation.swift.

import EventLoop
import PubSub
import Scripting
import WebSocket

extension ClientConnection {
    /// For so many ticks, a second, a connection counts as one of those that use slices up.
    private static let memory: UInt16 = 62

    private var tick: UInt16 { UInt16(truncatingIfNeeded: loop.now / 16) }

    /// Whether its events have used up a slice of late.
    private var usesSlicesUp: Bool { tick &- usedSliceUpAt < Self.memory }

    /// The slice is used up after an event of this connection, which may or may not have used much of it.
    private func noteUsedSlice() {
        if worker.turns.slice.isSourceHeavy { usedSliceUpAt = tick }
    }

    /// So many bytes of input are probably little work.
    private static let littleInput = 4_096

    /// Whether input that has just come waits: the slice is used up twice, or once and this connection is one of those that use
    /// slices up. It waits in the rotation then. One of the others, with a little input, waits before those, so that its wait
    /// is one or two turns, however many they are.
    /// - Parameter count: the bytes that have come.
    func waitsWithInput(of count: Int) -> Bool {
        let slice = worker.turns.slice
        guard slice.isOver else { return false }
        guard slice.isFarOver || usesSlicesUp else {
            // Its own use begins here.
            worker.turns.measure()
            return false
        }
        waitForTurn(isFavoured: !usesSlicesUp && count <= Self.littleInput)
        return true
    }

    /// An event of this connection has used the slice up; whether the input behind it waits.
    func yields(before input: UnsafeMutableRawBufferPointer) -> Bool {
        noteUsedSlice()
        guard !isBusy, phase == .open, !input.isEmpty else { return false }
        waitForTurn()
        return true
    }

    /// The same for events that had to wait for a handler.
    func yields(before events: PendingEvents) -> Bool {
        noteUsedSlice()
        // Behind the last event of a connection that is over comes its end.
        guard !isBusy, !events.isEmpty || isHeldBack || isEnding else { return false }
        waitForTurn()
        if phase == .open { holdBackAll() }
        return true
    }

    /// The queue of a slow client is empty again, and the slice is used up.
    func putOffDrain() {
        queue(.drain)
        guard !isBusy else { return }
        waitForTurn()
        holdBackAll()
    }

    /// The pause of a client whose rate is limited is over.
    func pauseIsOver() {
        guard isHeldBack, !isDeferred else { return }
        worker.turns.slice.beginSource()
        if worker.turns.slice.isOver { waitForTurn() } else { handleHeld() }
    }

    /// Joins the rotation. The caller holds the input back.
    func waitForTurn(isFavoured: Bool = false) {
        guard !isDeferred else { return }
        isDeferred = true
        worker.rotation.putOff(self, isFavoured: isFavoured)
    }

    /// The connection's turn in the rotation; whether there was something to do.
    func takeTurn() -> Bool {
        isDeferred = false
        worker.turns.slice.beginSource()
        switch phase {
        case .handshake: return takeRequest()
        case .open: break
        case .closing, .closed: return takeEnd()
        }
        if !isBusy, extras?.value.pending != nil {
            runPendingEvents()
        } else {
            guard isHeldBack else { return false }
            handleHeld()
        }
        return true
    }

    /// Goes on with a request that came when the slice was used up.
    private func takeRequest() -> Bool {
        guard let held = extras?.value.held, !isBusy else { return false }
        extras?.value.held = nil
        guard isWritable else { return false }
        setReading(true)
        withExtendedLifetime(held) { handshake?.receive(held.rest) }
        return true
    }

    /// Goes on with the end of a connection, and closes its socket where that has waited for it.
    private func takeEnd() -> Bool {
        let hasMore = isEnding || isBusy || extras?.value.pending != nil
        // The peer's Close may stand in the held input.
        if phase == .closing { handleHeld() }
        if goOnEnding() { closePutOff() }
        return hasMore
    }
}

// A connection whose handler waits. Its next events queue, so that its handlers run one at a time and in the order of arrival;
// when enough of them wait, nothing more is read, and TCP slows the client down. Nothing is dropped.

extension ClientConnection {
    /// The queue of events, made when the first handler waits.
    func makePending() -> PendingEvents {
        let extras = makeExtras()
        if let pending = extras.value.pending { return pending }
        let made = PendingEvents()
        extras.value.pending = made
        return made
    }

    /// Puts an event behind those that wait.
    func queue(_ event: PendingEvents.Event) { makePending().append(event) }

    /// Whether as many events wait as may.
    var isQueueFull: Bool { isBusy && phase == .open && extras?.value.pending?.isFull == true }

    /// The handler that waited has ended: the events behind it run, until one of them waits.
    func runPendingEvents() {
        guard let pending = extras?.value.pending else { return }
        while !isBusy, let event = pending.next() {
            switch event {
            case .message(let payload, let binary):
                payload.withUnsafeBytes { worker.message(self, $0, binary: binary) }
            case .drain:
                worker.drain(self)
            }
            if worker.turns.mustYield(.message, script), yields(before: pending) { return }
        }
        if !isBusy { extras?.value.pending = nil }
        // Behind a handler that waits, events queue, and a goodbye is heard.
        handleHeld()
    }
}

// The end of a connection as its script sees it: told once, behind the connection's last events, while the connection still has its
// last state. The script is told within the turn's slice, for every kind of end. When the slice is used up, the end waits in
// the rotation, and so does the socket, if it is to close meanwhile.

extension ClientConnection {
    /// An end that was decided and that the script has not been told of yet: in the middle of a handler it cannot be.
    struct Ending {
        let code: CloseCode
        let reason: String
    }

    /// The state of a connection until it ended. Hub, users and socket have forgotten it; a script whose onClose waits has not.
    struct Remains {
        let user: String?
        let certificate: String?
        let channels: [String]

        init(of connection: ClientConnection) {
            user = connection.user
            certificate = connection.certificateSubject
            channels = connection.memberships.map(\.channel.name)
        }
    }

    /// Its last state, once it has ended and its onClose waits.
    var remains: Remains? { extras?.value.remains }

    /// Whether the script has not been told of the end yet.
    var isEnding: Bool { extras?.value.ending != nil }

    /// The connection has ended in one of its own events: the script is told now, if no event has to come before that.
    func hasEnded(_ code: CloseCode, reason: String) {
        guard isBusy || isDeferred || extras?.value.pending != nil || worker.turns.slice.isOver else {
            return worker.ended(self, code: code, reason: reason)
        }
        makeExtras().value.ending = Ending(code: code, reason: reason)
        _ = tellEnd()
    }

    /// The connection is to end in the middle of an event, or of a walk over connections: the script is told at the end of
    /// the turn; earlier, when the socket goes first.
    func ends(_ code: CloseCode, reason: String) {
        makeExtras().value.ending = Ending(code: code, reason: reason)
        loop.atEndOfTurn { [self] in
            guard isEnding else { return }
            handleHeld()
            _ = tellEnd()
        }
    }

    /// Tells the script of the end, or waits for a turn with that; whether there is no end left to tell.
    func tellEnd() -> Bool {
        guard isEnding || isBusy || extras?.value.pending != nil else { return true }
        guard !isDeferred else { return false }
        guard worker.turns.slice.isOver else { return goOnEnding() }
        waitForTurn()
        return false
    }

    /// Ends the wait, runs the events behind it in order, where none can wait any more, and tells the script of the end, as far as
    /// the slice reaches; whether that was all.
    func goOnEnding() -> Bool {
        if isBusy || extras?.value.pending != nil {
            worker.engine.withClosedConnection {
                if isBusy, let task = extras?.value.pending?.task {
                    worker.resumptions.cancel(task)
                } else {
                    runPendingEvents()
                }
            }
            if isEnding, worker.turns.slice.isOver { waitForTurn() }
        }
        guard !isDeferred else { return false }
        guard let ending = extras?.value.ending else { return true }
        extras?.value.ending = nil
        worker.ended(self, code: ending.code, reason: ending.reason)
        return true
    }
}

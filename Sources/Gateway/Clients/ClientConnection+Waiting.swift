// A connection whose handler waits. Its next events queue, so that its handlers run one at a time and in the order of arrival;
// when enough of them wait, nothing more is read, and TCP slows the client down. Nothing is dropped.
//
// Read next: PendingEvents.swift, HeldInput.swift, ../Worker/Worker+Waiting.swift.

import Scripting
import WebSocket

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
            if worker.mustYield(.message, script), yields(before: pending) { return }
        }
        if !isBusy { extras?.value.pending = nil }
        // Behind a handler that waits, events queue, and a goodbye is heard.
        handleHeld()
    }
}

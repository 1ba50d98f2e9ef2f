// The end of a connection as its script sees it: told once, behind the connection's last events, of a connection that still knows
// what it was. Whatever has ended it, the script is told within the turn's slice; when that is used up, the end waits in the
// rotation, and so does the socket, if it is to close meanwhile.
//
// Read next: ../Worker/Worker+Events.swift.

import EventLoop
import PubSub
import Scripting
import WebSocket

extension ClientConnection {
    /// An end that was decided and that the script has not been told of yet: in the middle of a handler it cannot be.
    struct Ending {
        let code: CloseCode
        let reason: String
    }

    /// What a connection was until it ended. Hub, users and socket have forgotten it; a script whose onClose waits has not.
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

    /// What it was, once it has ended and its onClose waits.
    var remains: Remains? { extras?.value.remains }

    /// Whether the script has not been told of the end yet.
    var isEnding: Bool { extras?.value.ending != nil }

    /// The connection has ended in one of its own events: the script is told now, if nothing has to come before that.
    func hasEnded(_ code: CloseCode, reason: String) {
        guard isBusy || isDeferred || extras?.value.pending != nil || worker.turns.slice.isOver else {
            return worker.ended(self, code: code, reason: reason)
        }
        makeExtras().value.ending = Ending(code: code, reason: reason)
        _ = tellEnd()
    }

    /// The connection is to end in the middle of somebody's event, or of a walk over connections: the script is told at the end of
    /// the turn; earlier, when the socket goes first.
    func ends(_ code: CloseCode, reason: String) {
        makeExtras().value.ending = Ending(code: code, reason: reason)
        loop.atEndOfTurn { [self] in
            guard isEnding else { return }
            handleHeld()
            _ = tellEnd()
        }
    }

    /// Tells the script of the end, or waits for a turn with that; whether there is nothing left to tell.
    func tellEnd() -> Bool {
        guard isEnding || isBusy || extras?.value.pending != nil else { return true }
        guard !isDeferred else { return false }
        guard worker.turns.slice.isOver else { return goOnEnding() }
        waitForTurn()
        return false
    }

    /// Ends what waits, runs what queues behind it, in order, where nothing can wait any more, and tells the script of the end, as
    /// far as the slice reaches; whether that was all.
    func goOnEnding() -> Bool {
        if isBusy || extras?.value.pending != nil {
            worker.engine.withClosedConnection {
                if isBusy, let task = extras?.value.pending?.task {
                    worker.cancelWait(of: task)
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

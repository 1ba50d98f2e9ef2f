// The end of a connection as its script sees it: told once, of a connection that still knows what it was.
//
// Read next: ../Worker/Worker+Events.swift.

import EventLoop
import PubSub
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

    /// Tells the script of the end that was decided, if it has not been told.
    func tellEnd() {
        guard let ending = extras?.value.ending else { return }
        extras?.value.ending = nil
        worker.ended(self, code: ending.code, reason: ending.reason)
    }
}

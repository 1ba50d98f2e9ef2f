// What comes of a request: plain HTTP, a WebSocket, or a refusal with the response that says why.

extension Handshake {
    /// How a request is to be answered.
    public enum Outcome: Sendable {
        /// It does not ask for a WebSocket.
        case notAnUpgrade
        /// It asks for one rightly; the application may still refuse it.
        case accept(Acceptance)
        /// It asks for one wrongly: the status (400, 405 or 426), a sentence for the body, and fields that the response
        /// must have.
        case refuse(status: Int, reason: String, fields: [(String, String)])

        static func malformed(_ reason: String) -> Outcome {
            .refuse(status: 400, reason: reason, fields: [])
        }

        static var wrongMethod: Outcome {
            .refuse(status: 405, reason: "a WebSocket handshake is a GET", fields: [("Allow", "GET")])
        }

        static var wrongVersion: Outcome {
            .refuse(
                status: 426, reason: "only WebSocket version 13 is spoken here",
                fields: [("Sec-WebSocket-Version", version), ("Upgrade", "websocket"), ("Connection", "Upgrade")])
        }
    }
}

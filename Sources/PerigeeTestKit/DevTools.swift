// DevTools: the browser's debugging protocol (Chrome DevTools Protocol): numbered JSON commands and their answers over one
// WebSocket, with events in between.

import JSON

/// A DevTools connection to a browser, shared by its pages.
final class DevTools {
    private let client: WebSocketClient
    private let timeout: Duration
    private let beforeWaiting: () -> Void
    private var lastNumber = 0
    private var events: [JSON] = []

    /// `beforeWaiting` runs before each wait for the browser.
    init(client: WebSocketClient, timeout: Duration, beforeWaiting: @escaping () -> Void) {
        self.client = client
        self.timeout = timeout
        self.beforeWaiting = beforeWaiting
    }

    /// Sends a command, to a page when it has a session, and answers its result.
    func call(_ method: String, _ parameters: [String: JSON] = [:], session: String? = nil) throws(ClientError) -> JSON
    {
        lastNumber += 1
        let number = lastNumber
        var command: [String: JSON] = [
            "id": .number(Double(number)), "method": .string(method), "params": .object(parameters),
        ]
        if let session { command["sessionId"] = .string(session) }
        try client.send(JSON.object(command).description)
        while true {
            let message = try receive()
            guard message["id"]?.int == number else { continue }
            if let error = message["error"] { throw .unexpected("\(method): \(error)") }
            return message["result"] ?? .null
        }
    }

    /// Waits for the session's next event of that name; one that came earlier and was not yet asked for counts.
    func waitForEvent(_ method: String, session: String) throws(ClientError) {
        while takeEvents(method, session: session).isEmpty { _ = try receive() }
    }

    /// The parameters of the session's events of that name that have come since the last time, in order.
    func takeEvents(_ method: String, session: String) -> [JSON] {
        func matches(_ event: JSON) -> Bool {
            event["method"]?.string == method && event["sessionId"]?.string == session
        }
        let taken = events.filter(matches)
        events.removeAll(where: matches)
        return taken.compactMap { $0["params"] }
    }

    private func receive() throws(ClientError) -> JSON {
        beforeWaiting()
        let message = try JSON(received: client.receiveText(timeout: timeout))
        if message["method"] != nil {
            events.append(message)
            if events.count > 10_000 { events.removeFirst(5_000) }
        }
        return message
    }
}

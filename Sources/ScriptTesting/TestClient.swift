// A client of a script under test, with the messages and the end that it has seen.

import PubSub
import Scripting

final class TestClient {
    /// An event that the script has not been told of yet.
    enum Event {
        case open
        case message([UInt8], binary: Bool)
        case drain
        case close(code: UInt16, reason: String)
    }

    let handle: ConnectionHandle
    let script: ScriptID
    let request: UpgradeRequest
    var user: String?
    var subprotocol: String?
    var channels: [Channel] = []
    var isOpen = false
    var isSlow = false
    /// How the connection ended.
    var closed: (code: UInt16, reason: String)?
    /// How onUpgrade refused it.
    var refused: (status: Int, body: String)?
    /// Messages that the test has not taken, oldest first.
    var inbox: [(bytes: [UInt8], binary: Bool)] = []
    /// Events run one at a time, in the order in which they came.
    var pending: [Event] = []
    /// The event that runs and waits; those that come meanwhile queue.
    var waiting: ScriptTask?
    /// Whether onOpen has begun, so that onClose must follow.
    var wasOpened = false

    init(handle: ConnectionHandle, script: ScriptID, request: UpgradeRequest) {
        self.handle = handle
        self.script = script
        self.request = request
    }

    /// The id by which scripts know it.
    var id: String {
        let digits = String(handle.slot)
        return "client-" + String(repeating: "0", count: max(0, 6 - digits.utf8.count)) + digits
    }

    /// Ends the connection for the client; the script is told when its running event has ended.
    func end(code: UInt16, reason: String) -> Bool {
        guard isOpen else { return false }
        isOpen = false
        closed = (code, reason)
        pending.append(.close(code: code, reason: reason))
        return true
    }

    func receive(_ bytes: UnsafeRawBufferPointer, binary: Bool) -> SendResult {
        guard isOpen else { return .closed }
        guard !isSlow else { return .slow }
        inbox.append((Array(bytes), binary))
        return .sent
    }
}

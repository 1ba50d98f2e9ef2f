// What names a wait.

import LuaBridge

/// One wait of one event: what a host answers with ``ScriptEngine/resume(_:with:)``.
public struct WaitTicket: Hashable, Sendable {
    /// The event that waits.
    public let task: ScriptTask
    /// Which of its successive waits.
    let serial: UInt32

    init(_ ticket: BridgeTicket) {
        task = ScriptTask(number: ticket.task)
        serial = ticket.serial
    }

    var bridged: BridgeTicket { BridgeTicket(task: task.number, serial: serial) }
}

/// An event that waits, by a number that is used again when it has ended.
public struct ScriptTask: Hashable, Sendable {
    let number: UInt32
}

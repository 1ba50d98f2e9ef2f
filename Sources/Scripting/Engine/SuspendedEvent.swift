// An event that has been put aside while its handler waits: its subject, the ticket of its wait, the answer that ends the wait,
// and the way in which the event goes on.
//
// Read next: ScriptEngine+Waiting.swift, LuaBridge/Events/wait.c.

import LuaBridge

/// An event whose handler waits.
public struct SuspendedEvent: Sendable {
    /// The handler or function that runs.
    public enum Work: Sendable, Equatable {
        case handler(ScriptHandler, ScriptID)
        case timer
        /// A function of `server.spawn`.
        case spawned

        /// Whether the event is a question that needs an answer.
        var isQuestion: Bool {
            switch self {
            case .handler(.publish, _), .handler(.request, _), .handler(.subscribe, _): true
            case .handler, .timer, .spawned: false
            }
        }

        /// The script whose handler runs; nil for the function of a timer or of `server.spawn`.
        var script: ScriptID? {
            switch self {
            case .handler(_, let id): id
            case .timer, .spawned: nil
            }
        }

        /// The name in reports: "onMessage".
        public var name: String {
            switch self {
            case .handler(let handler, _): handler.name
            case .timer: "timer"
            case .spawned: "server.spawn"
            }
        }
    }

    /// The handler or function that runs.
    public let work: Work
    /// The connection that it is about.
    public let connection: ConnectionHandle?
    /// The code that the event runs: it ends in the version in which it began.
    let origin: EventOrigin
    /// The place at which the function of a timer or of `server.spawn` begins, as "chat.lua:12"; nil for a handler.
    public let functionPlace: String?
    /// For an upgrade, the subprotocols among which the script may choose.
    let offered: [String]
}

/// The code that an event runs, as it was when the event began. A reload may remove or replace the script while the
/// event waits, so nothing about it is looked up in the live bundle.
struct EventOrigin: Sendable {
    let bundle: ScriptBundle
    /// The script that serves the event; it may differ from the one with which the connection was opened. Nil for a
    /// function of a timer or of `server.spawn`, which may belong to any script.
    let script: ScriptID?
}

/// One wait of one event. The host answers it with ``ScriptEngine/resume(_:with:)``.
public struct WaitTicket: Hashable, Sendable {
    /// The event that waits.
    public let task: ScriptTask
    /// The serial number of the wait among those of the event.
    let serial: UInt32

    init(_ ticket: BridgeTicket) {
        task = ScriptTask(number: ticket.task)
        serial = ticket.serial
    }

    var bridged: BridgeTicket { BridgeTicket(task: task.number, serial: serial) }
}

/// An event that waits, by a number that is used again after the event has ended.
public struct ScriptTask: Hashable, Sendable {
    let number: UInt32
}

/// The end of a wait.
public enum WaitAnswer: Sendable {
    /// The time is over: in Lua `true`.
    case done
    /// The wait failed: in Lua `nil` and the reason.
    case failed(String)
    /// The response of another server: in Lua a table.
    case response(ScriptResponse)
    /// Another server gave no response: in Lua `nil`, a word for the reason, and the details.
    case requestFailed(String, detail: String)
}

/// The result of ``ScriptEngine/resume(_:with:)``.
public enum Resumption: Sendable {
    case event(SuspendedEvent, EventOutcome)
    /// An `onUpgrade` has decided, waits again, or has failed.
    case upgrade(SuspendedEvent, UpgradeOutcome)
    /// An `onPublish`, `onRequest` or `onSubscribe` has answered, waits again, or has failed.
    case reply(SuspendedEvent, ScriptReply)
}

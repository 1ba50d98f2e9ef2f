// An event that has been put aside.

/// What is known of an event while its handler waits.
public struct SuspendedEvent: Sendable {
    /// What runs.
    public enum Work: Sendable, Equatable {
        case handler(ScriptHandler, ScriptID)
        case timer
        /// A function of `server.spawn`.
        case spawned

        /// Whether somebody wants an answer.
        var isQuestion: Bool {
            switch self {
            case .handler(.publish, _), .handler(.request, _), .handler(.subscribe, _): true
            case .handler, .timer, .spawned: false
            }
        }

        /// The script whose handler runs; nil for a function that it has handed over.
        var script: ScriptID? {
            switch self {
            case .handler(_, let id): id
            case .timer, .spawned: nil
            }
        }

        /// What it is called in reports: "onMessage".
        public var name: String {
            switch self {
            case .handler(let handler, _): handler.name
            case .timer: "timer"
            case .spawned: "server.spawn"
            }
        }
    }

    /// What runs.
    public let work: Work
    /// The connection that it is about.
    public let connection: ConnectionHandle?
    /// The code that it runs: it ends in the version in which it began.
    let origin: EventOrigin
    /// Where the function begins that a timer or `server.spawn` has called, as "chat.lua:12"; nil for a handler.
    public let functionPlace: String?
    /// Of an upgrade, the subprotocols among which the script may choose.
    let offered: [String]
}

/// The code that an event runs, as it was when the event began. A reload may remove the script meanwhile, or put another in its
/// place: nothing about an event that waits is looked up in what is live.
struct EventOrigin: Sendable {
    let bundle: ScriptBundle
    /// The script that serves the event, which need not be the one that the connection was opened with; nil for a function of a
    /// timer or of `server.spawn`, which may be of any.
    let script: ScriptID?
}

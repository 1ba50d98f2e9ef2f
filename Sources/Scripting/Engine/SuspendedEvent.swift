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
    let bundle: ScriptBundle
    /// Of an upgrade, the subprotocols among which the script may choose.
    let offered: [String]
}

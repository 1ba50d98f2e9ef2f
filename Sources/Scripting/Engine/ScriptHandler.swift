// The handlers that a script can define, the outcome of a handler's run, and the numbers by which an engine knows its
// scripts.

import LuaBridge

/// A handler by the event that it handles.
public enum ScriptHandler: Int, Sendable, CaseIterable {
    case upgrade
    case open
    case message
    case close
    case start
    case reload
    case stop
    case drain
    case subscribe
    case publish
    case request

    /// "onMessage".
    public var name: String {
        switch self {
        case .upgrade: "onUpgrade"
        case .open: "onOpen"
        case .message: "onMessage"
        case .close: "onClose"
        case .start: "onStart"
        case .reload: "onReload"
        case .stop: "onStop"
        case .drain: "onDrain"
        case .subscribe: "onSubscribe"
        case .publish: "onPublish"
        case .request: "onRequest"
        }
    }

    /// As many as `allCases`, without the array.
    static let count = Int(bridgeEventCount)

    var event: BridgeEvent {
        switch self {
        case .upgrade: .upgrade
        case .open: .open
        case .message: .message
        case .close: .close
        case .start: .start
        case .reload: .reload
        case .stop: .stop
        case .drain: .drain
        case .subscribe: .subscribe
        case .publish: .publish
        case .request: .request
        }
    }
}

/// A script's name as a small number, the same for the life of an engine, so that a connection keeps its script across
/// reloads.
public struct ScriptID: Hashable, Sendable {
    let index: Int32
}

/// Calls of one handler and how many of them failed, since the engine was made.
public struct HandlerCount: Sendable, Hashable {
    public internal(set) var calls: UInt64 = 0
    public internal(set) var errors: UInt64 = 0
}

/// The outcome of a handler's run for the connection. A script without a handler for the event is `done`.
public enum EventOutcome: Sendable {
    /// The handler returned.
    case done
    /// `error{code = …, reason = …}`: close with this code, which an endpoint may send; the reason fits a close frame.
    case closeRequested(code: UInt16, reason: String)
    /// The handler waits; ``ScriptEngine/resume(_:with:)`` tells how it goes on.
    case waiting(ScriptTask)
    /// The handler raised; log it, the connection may go on.
    case failed(ScriptError)
}

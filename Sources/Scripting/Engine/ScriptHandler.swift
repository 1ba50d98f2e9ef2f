// The handlers that a script can define.

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

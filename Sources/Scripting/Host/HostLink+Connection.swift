// The host functions of `conn`. Each is declared in ScriptHost.h and translates to the worker's terms.
//
// Runs on: the worker's thread, called from C while a script runs.

import LuaBridge

@c @implementation
func scriptHostSend(
    _ host: UnsafeMutableRawPointer, _ connection: BridgeConnection, _ payload: BridgePayload
) -> BridgeSendResult {
    HostLink.with(host) { link in
        switch link.host.send(ConnectionHandle(connection), payload.buffer, binary: payload.binary) {
        case .sent: .sent
        case .closed: .closed
        case .slow: .slow
        case .unsupported: .unsupported
        }
    }
}

@c @implementation
func scriptHostClose(
    _ host: UnsafeMutableRawPointer, _ connection: BridgeConnection, _ code: Int32, _ reason: BridgeBytes
) -> Bool {
    HostLink.with(host) {
        $0.host.close(ConnectionHandle(connection), code: UInt16(truncatingIfNeeded: code), reason: reason.buffer)
    }
}

@c @implementation
func scriptHostSubscribe(
    _ host: UnsafeMutableRawPointer, _ connection: BridgeConnection, _ channel: BridgeBytes
) -> BridgeSubscribeResult {
    HostLink.with(host) { link in
        switch link.host.subscribe(ConnectionHandle(connection), channel: channel.buffer) {
        case .subscribed: .subscribed
        case .alreadySubscribed: .already
        case .closed: .closed
        case .invalidName: .invalidName
        case .tooMany: .tooMany
        }
    }
}

@c @implementation
func scriptHostUnsubscribe(
    _ host: UnsafeMutableRawPointer, _ connection: BridgeConnection, _ channel: BridgeBytes
) -> Bool {
    HostLink.with(host) { $0.host.unsubscribe(ConnectionHandle(connection), channel: channel.buffer) }
}

@c @implementation
func scriptHostIdentify(
    _ host: UnsafeMutableRawPointer, _ connection: BridgeConnection, _ user: BridgeBytes
) -> Bool {
    HostLink.with(host) {
        $0.host.identify(ConnectionHandle(connection), user: user.bytes == nil ? nil : user.buffer)
    }
}

@c @implementation
func scriptHostIsOpen(_ host: UnsafeMutableRawPointer, _ connection: BridgeConnection) -> Bool {
    HostLink.with(host) { $0.host.isOpen(ConnectionHandle(connection)) }
}

@c @implementation
func scriptHostQueued(_ host: UnsafeMutableRawPointer, _ connection: BridgeConnection) -> Int64 {
    HostLink.with(host) { Int64($0.host.queued(ConnectionHandle(connection))) }
}

@c @implementation
func scriptHostText(
    _ host: UnsafeMutableRawPointer, _ connection: BridgeConnection, _ property: BridgeProperty,
    _ answer: OpaquePointer
) -> Bool {
    let text: ConnectionText =
        switch property {
        case .id: .id
        case .user: .user
        case .ip: .ip
        case .path: .path
        case .subprotocol: .subprotocol
        case .certificate: .certificate
        }
    return HostLink.with(host) { link in
        var strings = ScriptStrings(answer)
        return link.host.text(text, of: ConnectionHandle(connection), into: &strings)
    }
}

@c @implementation
func scriptHostPairs(
    _ host: UnsafeMutableRawPointer, _ connection: BridgeConnection, _ pairs: BridgePairs, _ answer: OpaquePointer
) {
    let wanted: ConnectionPairs =
        switch pairs {
        case .query: .query
        case .headers: .headers
        }
    HostLink.with(host) { link in
        var strings = ScriptStrings(answer)
        link.host.pairs(wanted, of: ConnectionHandle(connection), into: &strings)
    }
}

@c @implementation
func scriptHostChannels(_ host: UnsafeMutableRawPointer, _ connection: BridgeConnection, _ answer: OpaquePointer) {
    HostLink.with(host) { link in
        var strings = ScriptStrings(answer)
        link.host.channels(of: ConnectionHandle(connection), into: &strings)
    }
}

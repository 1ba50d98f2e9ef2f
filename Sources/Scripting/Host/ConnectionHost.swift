// The requests of `conn` to the host: their protocol, the answers of a host that does nothing, and the calls from C,
// which ScriptHost.h declares.
//
// Runs on: the worker's thread, called from C while a script runs.

import LuaBridge

/// The functions of `conn`.
public protocol ConnectionHost: AnyObject {
    /// Queues a message: `conn:send`, `conn:sendBinary`.
    func send(_ connection: ConnectionHandle, _ payload: UnsafeRawBufferPointer, binary: Bool) -> SendResult

    /// Begins the close handshake: `conn:close`. False when the connection is closed already.
    func close(_ connection: ConnectionHandle, code: UInt16, reason: UnsafeRawBufferPointer) -> Bool

    /// Subscribes the connection to a channel: `conn:subscribe`.
    func subscribe(_ connection: ConnectionHandle, channel: UnsafeRawBufferPointer) -> SubscribeResult

    /// Ends a subscription: `conn:unsubscribe`. False when there was none.
    func unsubscribe(_ connection: ConnectionHandle, channel: UnsafeRawBufferPointer) -> Bool

    /// Sets the user of the connection, `nil` for none: `conn:identify`. False when the connection is closed.
    func identify(_ connection: ConnectionHandle, user: UnsafeRawBufferPointer?) -> Bool

    /// Whether messages can be sent: `conn.isOpen`.
    func isOpen(_ connection: ConnectionHandle) -> Bool

    /// Bytes that wait for the client to read them: `conn.queued`.
    func queued(_ connection: ConnectionHandle) -> Int

    /// Answers with one text by appending it once. False when there is none or the connection is gone.
    func text(_ property: ConnectionText, of connection: ConnectionHandle, into answer: inout ScriptStrings) -> Bool

    /// Answers with names and values, appended alternately; nothing when the connection is gone.
    func pairs(_ pairs: ConnectionPairs, of connection: ConnectionHandle, into answer: inout ScriptStrings)

    /// Answers with the connection's channels, one string each: `conn:channels`.
    func channels(of connection: ConnectionHandle, into answer: inout ScriptStrings)
}

/// A connection as the script engine knows it: a slot of its worker's table, and the generation of the slot.
///
/// A handle whose generation is over is stale: the host answers "closed" for it.
public struct ConnectionHandle: Hashable, Sendable {
    /// The index in the worker's table; used again after the connection is gone.
    public var slot: UInt32
    /// The number of the slot's owner; it differs for every owner.
    public var generation: UInt32

    /// Names a connection by its slot and generation.
    public init(slot: UInt32, generation: UInt32) {
        self.slot = slot
        self.generation = generation
    }
}

/// A text property of `conn`, `nil` in Lua when it is absent.
public enum ConnectionText: Sendable, CaseIterable {
    /// The connection's opaque identifier, `conn.id`.
    case id
    /// The user that the script has given it, `conn.user`.
    case user
    /// The client's address, `conn.ip`.
    case ip
    /// The path it connected to, `conn.path`.
    case path
    /// The subprotocol that was agreed, `conn.subprotocol`.
    case subprotocol
    /// The subject of the client's certificate as RFC 2253 text, `conn.certificate`.
    case certificate
}

/// A list property of `conn`.
public enum ConnectionPairs: Sendable {
    /// `conn.query`: the decoded query, in order.
    case query
    /// `conn.headers`: the upgrade's fields, in order, names in lower case.
    case headers
}

/// The result of `conn:send`: in Lua `true`, or `false` and the name of the case.
public enum SendResult: Sendable {
    /// The frame is in the connection's queue.
    case sent
    /// The connection is closed or closing.
    case closed
    /// The connection's queue is over its limit.
    case slow
    /// The client's protocol cannot carry such a message.
    case unsupported
}

/// The result of `conn:subscribe`: in Lua `true`, or `false` and the reason.
public enum SubscribeResult: Sendable {
    /// The connection now receives the channel's publications.
    case subscribed
    /// The connection was subscribed already.
    case alreadySubscribed
    /// The connection is closed or closing.
    case closed
    /// The channel's name breaks the rules for names.
    case invalidName
    /// The connection has as many channels as it may.
    case tooMany
}

extension SilentHost {
    public func send(_ connection: ConnectionHandle, _ payload: UnsafeRawBufferPointer, binary: Bool) -> SendResult {
        .closed
    }
    public func close(_ connection: ConnectionHandle, code: UInt16, reason: UnsafeRawBufferPointer) -> Bool { false }
    public func subscribe(_ connection: ConnectionHandle, channel: UnsafeRawBufferPointer) -> SubscribeResult {
        .closed
    }
    public func unsubscribe(_ connection: ConnectionHandle, channel: UnsafeRawBufferPointer) -> Bool { false }
    public func identify(_ connection: ConnectionHandle, user: UnsafeRawBufferPointer?) -> Bool { false }
    public func isOpen(_ connection: ConnectionHandle) -> Bool { false }
    public func queued(_ connection: ConnectionHandle) -> Int { 0 }
    public func text(
        _ property: ConnectionText, of connection: ConnectionHandle, into answer: inout ScriptStrings
    ) -> Bool { false }
    public func pairs(_ pairs: ConnectionPairs, of connection: ConnectionHandle, into answer: inout ScriptStrings) {}
    public func channels(of connection: ConnectionHandle, into answer: inout ScriptStrings) {}
}

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

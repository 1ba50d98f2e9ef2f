// The requests of `server` about other connections: their protocol, the answers of a host that does nothing, and the
// calls from C, which ScriptHost.h declares.
//
// Runs on: the worker's thread, called from C while a script runs. Allocates: the names of users, and a key.

import LuaBridge

/// The functions of `server` that reach other connections.
public protocol ServerHost: AnyObject {
    /// Publishes to a channel, to all its subscribers but one: `server.publish`. `key` is what conflation compares.
    func publish(
        channel: UnsafeRawBufferPointer, _ payload: UnsafeRawBufferPointer, binary: Bool, except: ConnectionHandle?,
        key: String?
    ) -> PublishResult

    /// Sends to the connection with this identifier, on any worker: `server.send`. True when it was accepted for
    /// delivery.
    func send(toID identifier: UnsafeRawBufferPointer, _ payload: UnsafeRawBufferPointer, binary: Bool) -> Bool

    /// Sends to all connections of a user, on every worker: `server.sendUser`.
    func send(toUser user: String, _ payload: UnsafeRawBufferPointer, binary: Bool)

    /// Sends to every connection on every worker: `server.broadcast`.
    func broadcast(_ payload: UnsafeRawBufferPointer, binary: Bool)

    /// Closes the connection with this identifier, on any worker, or all connections of a user of this name:
    /// `server.disconnect`. False when this worker knows of no such connection.
    func disconnect(id identifier: UnsafeRawBufferPointer, code: UInt16, reason: UnsafeRawBufferPointer) -> Bool
}

/// The result of `server.publish`: in Lua `true, offset`, or `false` and the reason.
public enum PublishResult: Sendable {
    /// The publication was taken.
    /// - offset: its place in the channel, 1 or more; nil where the broker gives it one later.
    case published(offset: UInt64?)
    /// The channel's name breaks the rules for names.
    case invalidName
    /// The broker refused it; at most 248 bytes of the reason reach the script.
    case refused(String)
}

extension SilentHost {
    public func publish(
        channel: UnsafeRawBufferPointer, _ payload: UnsafeRawBufferPointer, binary: Bool, except: ConnectionHandle?,
        key: String?
    ) -> PublishResult { .published(offset: 1) }
    public func send(
        toID identifier: UnsafeRawBufferPointer, _ payload: UnsafeRawBufferPointer, binary: Bool
    ) -> Bool { false }
    public func send(toUser user: String, _ payload: UnsafeRawBufferPointer, binary: Bool) {}
    public func broadcast(_ payload: UnsafeRawBufferPointer, binary: Bool) {}
    public func disconnect(
        id identifier: UnsafeRawBufferPointer, code: UInt16, reason: UnsafeRawBufferPointer
    ) -> Bool { false }
}

@c @implementation
func scriptHostPublish(
    _ host: UnsafeMutableRawPointer, _ channel: BridgeBytes, _ payload: BridgePayload,
    _ except: UnsafePointer<BridgeConnection>?, _ key: BridgeBytes,
    _ published: UnsafeMutablePointer<BridgePublished>
) -> BridgePublishResult {
    let passedBy = except.map { ConnectionHandle($0.pointee) }
    let result = HostLink.with(host) {
        $0.host.publish(
            channel: channel.buffer, payload.buffer, binary: payload.binary, except: passedBy,
            key: key.bytes == nil ? nil : String(decoding: key.buffer, as: UTF8.self))
    }
    switch result {
    case .published(let offset):
        published.pointee.offset = offset ?? 0
        return .published
    case .invalidName:
        return .invalidName
    case .refused(var reason):
        reason.withUTF8 { bridgeTextSet(&published.pointee.why, $0.baseAddress, $0.count) }
        return .refused
    }
}

@c @implementation
func scriptHostSendTo(
    _ host: UnsafeMutableRawPointer, _ identifier: BridgeBytes, _ payload: BridgePayload
) -> Bool {
    HostLink.with(host) { $0.host.send(toID: identifier.buffer, payload.buffer, binary: payload.binary) }
}

@c @implementation
func scriptHostSendToUser(_ host: UnsafeMutableRawPointer, _ user: BridgeBytes, _ payload: BridgePayload) {
    HostLink.with(host) {
        $0.host.send(
            toUser: String(decoding: user.buffer, as: UTF8.self), payload.buffer, binary: payload.binary)
    }
}

@c @implementation
func scriptHostBroadcast(_ host: UnsafeMutableRawPointer, _ payload: BridgePayload) {
    HostLink.with(host) { $0.host.broadcast(payload.buffer, binary: payload.binary) }
}

@c @implementation
func scriptHostDisconnect(
    _ host: UnsafeMutableRawPointer, _ identifier: BridgeBytes, _ code: Int32, _ reason: BridgeBytes
) -> Bool {
    HostLink.with(host) {
        $0.host.disconnect(
            id: identifier.buffer, code: UInt16(truncatingIfNeeded: code), reason: reason.buffer)
    }
}

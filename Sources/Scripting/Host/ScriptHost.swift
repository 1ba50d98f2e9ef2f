// The functions of the server that its scripts can call, and the types of their arguments and results. The worker
// implements them; the engine's bridge calls them while a script runs.
//
// Runs on: the worker's thread, within an event. No function may call back into the engine, and byte buffers are valid
// only during the call.
// Read next: HostLink.swift.

/// The server, as one worker's scripts see it.
///
/// Arguments have been checked: texts are UTF-8 where they must be, close codes are ones that an endpoint may send,
/// reasons fit a close frame. Only channel names are not checked: the host judges them.
public protocol ScriptHost: AnyObject {
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

    /// Publishes to a channel, to all its subscribers but one: `server.publish`. `key` is what conflation compares.
    func publish(
        channel: UnsafeRawBufferPointer, _ payload: UnsafeRawBufferPointer, binary: Bool, except: ConnectionHandle?,
        key: String?
    ) -> PublishResult

    /// Sends to the connection with this identifier, on whichever worker it is: `server.send`. True when it was
    /// accepted for delivery.
    func send(toID identifier: UnsafeRawBufferPointer, _ payload: UnsafeRawBufferPointer, binary: Bool) -> Bool

    /// Sends to all connections of a user, on every worker: `server.sendUser`.
    func send(toUser user: String, _ payload: UnsafeRawBufferPointer, binary: Bool)

    /// Sends to every connection on every worker: `server.broadcast`.
    func broadcast(_ payload: UnsafeRawBufferPointer, binary: Bool)

    /// Closes the connection with this identifier, on whichever worker it is, or all connections of a user of this
    /// name: `server.disconnect`. False when this worker knows of no such connection.
    func disconnect(id identifier: UnsafeRawBufferPointer, code: UInt16, reason: UnsafeRawBufferPointer) -> Bool

    /// Arranges for ``ScriptEngine/fireTimer(_:)`` in `seconds`, and then every `period` seconds if there is one. A
    /// timer with this number that is armed already is replaced.
    func setTimer(id: Int32, after seconds: Double, every period: Double?, name: String?)

    /// Cancels a timer; does nothing if it has fired or does not exist.
    func cancelTimer(id: Int32)

    /// Begins a wait of `server.sleep`. Answer the ticket with ``ScriptEngine/resume(_:with:)`` when the time is over,
    /// but not from within this call.
    func sleep(_ ticket: WaitTicket, seconds: Double)

    /// Sends a request to another server. Answer the ticket with ``ScriptEngine/resume(_:with:)`` when the response or
    /// an error is there, but not from within this call. Returns the mistake in a request that cannot be sent, else
    /// nil.
    func request(_ ticket: WaitTicket, _ request: ScriptRequest) -> String?

    /// Spawned functions wait: call ``ScriptEngine/runSpawned()`` or ``ScriptEngine/runNextSpawned()`` soon, but not
    /// from within this call.
    func spawned()

    /// A handler took more CPU than its warning allows; called when it has ended. The first line of the traceback is
    /// the place where it was at that time.
    func slow(traceback: String)

    /// Writes to the server's log. `script` is the calling file, as "chat.lua", with its line; empty and 0 if it is not
    /// known.
    func log(
        level: ScriptLogLevel, message: UnsafeRawBufferPointer, fields: [(name: String, value: String)], script: String,
        line: Int)
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
    /// The user as whom it was identified, `conn.user`.
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

/// The result of `conn:send`: in Lua `true`, `false, "closed"` or `false, "slow"`.
public enum SendResult: Sendable {
    /// The frame is in the connection's queue.
    case sent
    /// The connection is closed or closing.
    case closed
    /// The connection's queue is over its limit.
    case slow
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

/// The level of `log.debug`, `log.info`, `log.warn` and `log.error`; `print` is `info`.
public enum ScriptLogLevel: Sendable {
    case debug
    case info
    case warning
    case error
}

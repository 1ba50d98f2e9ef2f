// What the server does for its scripts. The worker implements it; the engine's bridge calls it while a script runs.
//
// Runs on: the worker's thread, within an event. No function may call back into the engine, and byte buffers are valid
// for the call alone.
// Read next: HostLink.swift.

/// The server, as one worker's scripts see it.
///
/// Arguments have been checked: texts are UTF-8 where they must be, close codes are ones that an endpoint may send,
/// reasons fit a close frame. Only channel names are the host's to judge.
public protocol ScriptHost: AnyObject {
    /// Queues a message: `conn:send`, `conn:sendBinary`.
    func send(_ connection: ConnectionHandle, _ payload: UnsafeRawBufferPointer, binary: Bool) -> SendResult

    /// Begins the close handshake: `conn:close`. False when the connection is closed already.
    func close(_ connection: ConnectionHandle, code: UInt16, reason: UnsafeRawBufferPointer) -> Bool

    /// Subscribes the connection to a channel: `conn:subscribe`.
    func subscribe(_ connection: ConnectionHandle, channel: UnsafeRawBufferPointer) -> SubscribeResult

    /// Ends a subscription: `conn:unsubscribe`. False when there was none.
    func unsubscribe(_ connection: ConnectionHandle, channel: UnsafeRawBufferPointer) -> Bool

    /// Says who the connection is, `nil` for nobody: `conn:identify`. False when it is closed.
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

    /// Closes the connection with this identifier, on whichever worker it is, or all connections of a user of this name:
    /// `server.disconnect`. False when there is nobody of the kind, as far as this worker can tell.
    func disconnect(id identifier: UnsafeRawBufferPointer, code: UInt16, reason: UnsafeRawBufferPointer) -> Bool

    /// Arranges for ``ScriptEngine/fireTimer(_:)`` in `seconds`, and then every `period` seconds if there is one. A
    /// number that is armed already is armed anew.
    func setTimer(id: Int32, after seconds: Double, every period: Double?, name: String?)

    /// Takes back a timer; one that has fired or never was is none of its business.
    func cancelTimer(id: Int32)

    /// Begins a wait of `server.sleep`: answer the ticket with ``ScriptEngine/resume(_:with:)`` when the time is over, not
    /// from within this call.
    func sleep(_ ticket: WaitTicket, seconds: Double)

    /// Sends a request to another server: answer the ticket with ``ScriptEngine/resume(_:with:)`` when the response is there or
    /// will not come, not from within this call. Answers what is wrong with a request that cannot be sent.
    func request(_ ticket: WaitTicket, _ request: ScriptRequest) -> String?

    /// Functions wait for ``ScriptEngine/runSpawned()`` or ``ScriptEngine/runNextSpawned()``: call it soon, not from within this
    /// call.
    func spawned()

    /// A handler took more CPU than its warning allows; called when it has ended. The first line of the traceback is
    /// where it was then.
    func slow(traceback: String)

    /// Writes to the server's log. `script` is the file that called, as "chat.lua", with its line; empty and 0 when it
    /// is not known.
    func log(
        level: ScriptLogLevel, message: UnsafeRawBufferPointer, fields: [(name: String, value: String)], script: String,
        line: Int)
}

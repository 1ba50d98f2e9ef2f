// The host of scripts that are only checked: their calls have no effect.

/// A host that does nothing. A subclass overrides the functions that it needs.
open class SilentHost: ScriptHost {
    public init() {}

    open func send(_ connection: ConnectionHandle, _ payload: UnsafeRawBufferPointer, binary: Bool) -> SendResult {
        .closed
    }
    open func close(_ connection: ConnectionHandle, code: UInt16, reason: UnsafeRawBufferPointer) -> Bool { false }
    open func subscribe(_ connection: ConnectionHandle, channel: UnsafeRawBufferPointer) -> SubscribeResult { .closed }
    open func unsubscribe(_ connection: ConnectionHandle, channel: UnsafeRawBufferPointer) -> Bool { false }
    open func identify(_ connection: ConnectionHandle, user: UnsafeRawBufferPointer?) -> Bool { false }
    open func isOpen(_ connection: ConnectionHandle) -> Bool { false }
    open func queued(_ connection: ConnectionHandle) -> Int { 0 }
    open func text(
        _ property: ConnectionText, of connection: ConnectionHandle, into answer: inout ScriptStrings
    ) -> Bool { false }
    open func pairs(_ pairs: ConnectionPairs, of connection: ConnectionHandle, into answer: inout ScriptStrings) {}
    open func channels(of connection: ConnectionHandle, into answer: inout ScriptStrings) {}
    open func publish(
        channel: UnsafeRawBufferPointer, _ payload: UnsafeRawBufferPointer, binary: Bool, except: ConnectionHandle?,
        key: String?
    ) -> PublishResult { .published(offset: 1) }
    open func send(
        toID identifier: UnsafeRawBufferPointer, _ payload: UnsafeRawBufferPointer, binary: Bool
    ) -> Bool { false }
    open func send(toUser user: String, _ payload: UnsafeRawBufferPointer, binary: Bool) {}
    open func broadcast(_ payload: UnsafeRawBufferPointer, binary: Bool) {}
    open func disconnect(
        id identifier: UnsafeRawBufferPointer, code: UInt16, reason: UnsafeRawBufferPointer
    ) -> Bool { false }
    open func setTimer(id: Int32, after seconds: Double, every period: Double?, name: String?) {}
    open func cancelTimer(id: Int32) {}
    open func sleep(_ ticket: WaitTicket, seconds: Double) {}
    open func request(_ ticket: WaitTicket, _ request: ScriptRequest) -> String? { nil }
    open func spawned() {}
    open func slow(traceback: String) {}
    open func log(
        level: ScriptLogLevel, message: UnsafeRawBufferPointer, fields: [(name: String, value: String)], script: String,
        line: Int
    ) {}
}

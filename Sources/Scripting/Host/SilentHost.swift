// The host of scripts that are only checked: nothing they do reaches anybody.

final class SilentHost: ScriptHost {
    func send(_ connection: ConnectionHandle, _ payload: UnsafeRawBufferPointer, binary: Bool) -> SendResult { .closed }
    func close(_ connection: ConnectionHandle, code: UInt16, reason: UnsafeRawBufferPointer) -> Bool { false }
    func subscribe(_ connection: ConnectionHandle, channel: UnsafeRawBufferPointer) -> SubscribeResult { .closed }
    func unsubscribe(_ connection: ConnectionHandle, channel: UnsafeRawBufferPointer) -> Bool { false }
    func identify(_ connection: ConnectionHandle, user: UnsafeRawBufferPointer?) -> Bool { false }
    func isOpen(_ connection: ConnectionHandle) -> Bool { false }
    func queued(_ connection: ConnectionHandle) -> Int { 0 }
    func text(
        _ property: ConnectionText, of connection: ConnectionHandle, into answer: inout ScriptStrings
    ) -> Bool { false }
    func pairs(_ pairs: ConnectionPairs, of connection: ConnectionHandle, into answer: inout ScriptStrings) {}
    func channels(of connection: ConnectionHandle, into answer: inout ScriptStrings) {}
    func publish(
        channel: UnsafeRawBufferPointer, _ payload: UnsafeRawBufferPointer, binary: Bool, except: ConnectionHandle?,
        key: String?
    ) -> PublishResult { .published(offset: 0) }
    func send(
        toID identifier: UnsafeRawBufferPointer, _ payload: UnsafeRawBufferPointer, binary: Bool
    ) -> Bool { false }
    func broadcast(_ payload: UnsafeRawBufferPointer, binary: Bool) {}
    func disconnect(
        id identifier: UnsafeRawBufferPointer, code: UInt16, reason: UnsafeRawBufferPointer
    ) -> Bool { false }
    func setTimer(id: Int32, after seconds: Double, every period: Double?, name: String?) {}
    func cancelTimer(id: Int32) {}
    func sleep(_ ticket: WaitTicket, seconds: Double) {}
    func spawned() {}
    func slow(traceback: String) {}
    func log(
        level: ScriptLogLevel, message: UnsafeRawBufferPointer, fields: [(name: String, value: String)], script: String,
        line: Int
    ) {}
}

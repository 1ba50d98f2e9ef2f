import AllocationCounter
import Testing

@testable import Scripting

@Suite("allocations", .enabled(if: allocations_are_counted(), "a sanitizer brings an allocator of its own"), .bounded)
struct AllocationTests {
    /// A host that only counts, so that the measurement is of the engine.
    private final class CountingHost: SilentHost {
        var messages = 0
        func send(_ connection: ConnectionHandle, _ payload: UnsafeRawBufferPointer, binary: Bool) -> SendResult {
            messages += 1
            return .sent
        }
        func isOpen(_ connection: ConnectionHandle) -> Bool { true }
        func publish(
            channel: UnsafeRawBufferPointer, _ payload: UnsafeRawBufferPointer, binary: Bool, except: ConnectionHandle?,
            key: String?
        ) -> PublishResult {
            messages += 1
            return .published(offset: 1)
        }
    }

    /// Runs `body` many times and returns the number of Swift objects that this thread allocated meanwhile.
    private func allocations(_ source: String, _ size: Int) throws -> Int {
        let host = CountingHost()
        let engine = try ScriptEngine(host: host, options: ScriptOptions())
        try engine.prepare(ScriptBundle(version: 1, scripts: ["main": source])).get()
        engine.commit()
        let id = engine.intern("main")
        let payload = [UInt8](repeating: UInt8(ascii: "x"), count: size)
        return payload.withUnsafeBytes { payload in
            let run = {
                var slot: UInt32 = 0
                while slot < 10_000 {  // unlike a range of UInt32, this allocates nothing in a debug build
                    _ = engine.onMessage(id, ConnectionHandle(slot: slot % 100, generation: 1), payload, binary: false)
                    slot += 1
                }
            }
            run()
            let before = (all: allocations_of_thread(), lua: engine.allocations)
            run()
            let counted = allocations_of_thread() - before.all - (engine.allocations - before.lua)
            #expect(host.messages == 20_000)
            return counted
        }
    }

    @Test("an echo through Lua allocates nothing in Swift", arguments: [0, 64, 16_384])
    func echo(size: Int) throws {
        let source = "function onMessage(conn, message, binary) conn:send(message, binary) end"
        let counted = try allocations(source, size)
        #expect(counted == 0)
    }

    @Test("a publication through Lua allocates nothing in Swift")
    func publish() throws {
        let source = "function onMessage(conn, message) server.publish('lobby', message, {except = conn}) end"
        let counted = try allocations(source, 64)
        #expect(counted == 0)
    }

    @Test("the counter counts")
    func counter() {
        final class Box { var value = 1 }
        var boxes: [Box] = []
        let before = allocations_of_thread()
        for _ in 0..<100 { boxes.append(Box()) }
        #expect(allocations_of_thread() - before >= 100)
    }
}

import Testing

@testable import Scripting

/// The end of a waiting event whose script changes.
@Suite("the origin of an event", .bounded)
struct OriginTests {
    private func ticket(_ stage: Stage) throws -> WaitTicket {
        let tickets = stage.host.calls.compactMap { call -> WaitTicket? in
            if case .sleep(let ticket, _) = call { ticket } else { nil }
        }
        return try #require(tickets.last, "nothing waits")
    }

    /// The end of a handler that waits.
    struct LateEnd: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let handler: String
        let end: String
        let message: String

        init(_ handler: String, _ end: String, _ message: String) {
            testDescription = "\(handler): \(end)"
            (self.handler, self.end, self.message) = (handler, end, message)
        }

        static let all: [LateEnd] = [
            LateEnd(
                "onUpgrade(r)", "return {subprotocol = 'nope'}",
                "onUpgrade chose the subprotocol 'nope', which was not offered"),
            LateEnd("onUpgrade(r)", "return 1", "onUpgrade must return true, a table or false, not number"),
            LateEnd("onUpgrade(r)", "error('oops')", "oops"),
            LateEnd("onOpen(c)", "error('oops')", "oops"), LateEnd("onMessage(c)", "error('oops')", "oops"),
            LateEnd("onDrain(c)", "error('oops')", "oops"),
            LateEnd("onClose(c)", "error('oops')", "oops"), LateEnd("onRequest(r)", "error('oops')", "oops"),
            LateEnd("onSubscribe(c)", "return 1", "onSubscribe must return true or false, not number"),
        ]
    }

    /// The change of the script meanwhile.
    enum Fate: String, Sendable, CaseIterable {
        case removed, replaced, leftToMain
    }

    @Test(
        "an event ends in the script and version in which it began",
        arguments: LateEnd.all, Fate.allCases)
    func origin(_ late: LateEnd, _ fate: Fate) throws {
        let stage = try Stage()
        try stage.load(["chat": "function \(late.handler)\nserver.sleep(1) \(late.end) end"])
        let chat = stage.engine.intern("chat")
        switch late.handler.prefix(while: { $0 != "(" }) {
        case "onUpgrade":
            _ = stage.engine.onUpgrade(chat, stage.first, request: UpgradeRequest(path: "/chat", ip: "10.0.0.9"))
        case "onOpen": _ = stage.engine.onOpen(chat, stage.first)
        case "onMessage":
            _ = stage.engine.onMessage(chat, stage.first, UnsafeRawBufferPointer(start: nil, count: 0), binary: false)
        case "onDrain": _ = stage.engine.onDrain(chat, stage.first)
        case "onClose":
            _ = stage.engine.onClose(
                chat, stage.first, code: 1000, reason: UnsafeRawBufferPointer(start: nil, count: 0))
        case "onRequest": _ = stage.engine.onRequest(chat, ScriptQuestion(fields: []))
        default: _ = stage.engine.onSubscribe(chat, stage.first, channel: UnsafeRawBufferPointer(start: nil, count: 0))
        }
        #expect(stage.engine.waitingCount == 1)
        let next = ["removed": ["other": ""], "replaced": ["chat": "-- nothing"], "leftToMain": ["main": ""]]
        try stage.load(next[fate.rawValue] ?? [:], version: 2)
        let error: ScriptError? =
            switch try #require(stage.engine.resume(ticket(stage), with: .done)) {
            case .event(_, .failed(let error)), .upgrade(_, .failed(let error)), .reply(_, .failed(let error)): error
            case .event, .upgrade, .reply: nil
            }
        #expect(error?.file == "chat.lua" && error?.version == 1)
        #expect(error?.message == late.message)
    }

    @Test("an onReload that asks for a close after a wait has failed")
    func lateClose() throws {
        let stage = try Stage("")
        let script = "function onReload() server.sleep(1) error{code = 1000, reason = 'x'} end"
        #expect(try stage.load(["main": script], version: 2).waiting.count == 1)
        guard case .event(_, .failed(let error))? = try stage.engine.resume(ticket(stage), with: .done) else {
            throw Unexpected()
        }
        #expect(error.message.contains("closes a connection, and there is none here"))
    }
}

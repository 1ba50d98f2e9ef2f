// The table of close reasons, and the codes that may be sent.

import Testing
import WebSocket

@Suite(.bounded) struct CloseReasonTests {
    @Test("has a code that may be sent, or no code", arguments: CloseReason.allCases)
    func code(_ reason: CloseReason) {
        #expect(reason.code.isValidOnWire || reason.code == .abnormal)
    }

    @Test("has a short ASCII text", arguments: CloseReason.allCases)
    func text(_ reason: CloseReason) {
        #expect((1...123).contains(reason.text.utf8.count))
        #expect(reason.text.utf8.allSatisfy { $0 < 0x80 })
    }

    @Test("has a counter name of its own that Prometheus accepts")
    func counters() {
        let counters = CloseReason.allCases.map(\.counter)
        #expect(Set(counters).count == counters.count)
        #expect(counters.allSatisfy { $0.utf8.allSatisfy { (0x61...0x7A).contains($0) || $0 == 0x5F } })
    }

    @Test("closes with 1002, 1007 or 1009 as RFC 6455 asks")
    func codes() {
        #expect(CloseReason.maskMissing.code == .protocolError)
        #expect(CloseReason.invalidText.code == .invalidPayload)
        #expect(CloseReason.invalidCloseReason.code == .invalidPayload)
        #expect(CloseReason.messageTooBig.code == .messageTooBig)
        #expect(CloseReason.slowConsumer.code == .tryAgainLater)
        #expect(CloseReason.serviceRestart.code == .serviceRestart)
    }

    @Test("orders its levels from debug to error")
    func levels() {
        #expect(CloseReason.Level.debug < .info)
        #expect(CloseReason.Level.warning < .error)
    }
}

@Suite(.bounded) struct CloseCodeTests {
    @Test("allows exactly the codes of RFC 6455, 7.4, and of the registry")
    func wireCodes() {
        let allowed = (0...UInt16.max).filter { CloseCode(rawValue: $0).isValidOnWire }
        let expected = [1000...1003, 1007...1014, 3000...4999].flatMap { (range: ClosedRange<UInt16>) in Array(range) }
        #expect(allowed == expected)
    }
}

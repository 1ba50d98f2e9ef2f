// Which codes may be sent.

import Testing
import WebSocket

@Suite(.bounded) struct CloseCodeTests {
    @Test("lets exactly the codes of RFC 6455, 7.4, and the registry on the wire")
    func wireCodes() {
        let allowed = (0...UInt16.max).filter { CloseCode(rawValue: $0).isValidOnWire }
        let expected = [1000...1003, 1007...1014, 3000...4999].flatMap { (range: ClosedRange<UInt16>) in Array(range) }
        #expect(allowed == expected)
    }
}

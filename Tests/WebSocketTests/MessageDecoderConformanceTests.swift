// The decoder and the conformance table, with each stream whole and cut at every place.

import Testing
import WebSocket

@Suite(.bounded) struct MessageDecoderConformanceTests {
    @Test("follows RFC 6455", arguments: ConformanceTable.rows)
    func follows(_ row: ConformanceRow) {
        #expect(decode(row.stream, maxMessage: row.maxMessage) == row.events)
    }

    @Test("gives the same events when the stream arrives byte by byte", arguments: ConformanceTable.rows)
    func byteByByte(_ row: ConformanceRow) {
        #expect(decode(row.stream, cuts: Array(0..<row.stream.count), maxMessage: row.maxMessage) == row.events)
    }

    @Test("gives the same events wherever the stream is cut", arguments: ConformanceTable.rows)
    func cutAnywhere(_ row: ConformanceRow) {
        let failing = (0...row.stream.count).filter {
            decode(row.stream, cuts: [$0], maxMessage: row.maxMessage) != row.events
        }
        #expect(failing == [])
    }

    @Test("gives the same events wherever the stream is cut twice")
    func cutTwice() {
        let stream =
            ClientFrame.text("€uro", fin: false) + ClientFrame.ping([1, 2, 3])
            + ClientFrame.continuation(Array("🎉".utf8), fin: true) + ClientFrame.close(1000, "bye")
        let events: [RecordedEvent] = [.ping([1, 2, 3]), .text("€uro🎉"), .close(1000, "bye")]
        for first in 0...stream.count {
            let failing = (first...stream.count).filter { decode(stream, cuts: [first, $0]) != events }
            #expect(failing == [], "first cut at \(first)")
        }
    }

    @Test("reads messages of every length around the limits of the encoding", arguments: [65534, 65535, 65536, 65537])
    func longMessages(_ count: Int) {
        let payload = [UInt8](repeating: 0x61, count: count)
        #expect(decode(ClientFrame.text(payload)) == [.text(payload)])
        #expect(decode(ClientFrame.text(payload), cuts: [3, 9, 13, 14, 15, 40000]) == [.text(payload)])
    }

    @Test("refuses a header at the first byte that breaks a rule")
    func earliestFailure() {
        #expect(decode([0xC1]) == [.failure(.reservedBits)])
        #expect(decode([0x83]) == [.failure(.unknownOpcode)])
        #expect(decode([0x09]) == [.failure(.fragmentedControl)])
        #expect(decode([0x80]) == [.failure(.unexpectedContinuation)])
        #expect(decode([0x81, 0x01]) == [.failure(.maskMissing)])
        #expect(decode([0x82, 0xFF, 0, 0, 0, 0, 0, 0x20, 0, 0]) == [.failure(.messageTooBig)])
    }
}

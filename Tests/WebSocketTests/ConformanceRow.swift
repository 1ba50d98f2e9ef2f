// One row of the decoder's conformance table: a rule, a stream, and what must come of it.

import Testing
import WebSocket

struct ConformanceRow: CustomTestStringConvertible, Sendable {
    let rule: String
    let stream: [UInt8]
    let events: [RecordedEvent]
    let maxMessage: Int

    init(_ rule: String, _ frames: [UInt8]..., gives events: [RecordedEvent], maxMessage: Int = 1 << 20) {
        self.rule = rule
        self.stream = frames.flatMap { $0 }
        self.events = events
        self.maxMessage = maxMessage
    }

    var testDescription: String { rule }
}

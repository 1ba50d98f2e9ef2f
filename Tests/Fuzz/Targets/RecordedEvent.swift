// An event of the decoder that owns its bytes and can be compared, and functions that feed a stream to a decoder in pieces.

import WebSocket

enum RecordedEvent: Equatable {
    case text([UInt8])
    case binary([UInt8])
    case compressed([UInt8], binary: Bool)
    case ping([UInt8])
    case pong([UInt8])
    case close(UInt16?, [UInt8])
    case failure(CloseReason)

    /// Nil for `needMore`.
    init?(_ event: MessageDecoder.Event) {
        switch event {
        case .needMore: return nil
        case .message(let payload, let isBinary): self = isBinary ? .binary(Array(payload)) : .text(Array(payload))
        case .compressed(let payload, let isBinary): self = .compressed(Array(payload), binary: isBinary)
        case .ping(let payload): self = .ping(Array(payload))
        case .pong(let payload): self = .pong(Array(payload))
        case .close(let code, let reason): self = .close(code?.rawValue, Array(reason))
        case .failure(let reason): self = .failure(reason)
        }
    }

    static func text(_ text: String) -> RecordedEvent { .text(Array(text.utf8)) }

    static func close(_ code: UInt16, _ reason: String) -> RecordedEvent { .close(code, Array(reason.utf8)) }
}

/// Feeds `bytes` as one piece, in memory of exactly their size that is freed afterwards.
func feed(
    _ bytes: ArraySlice<UInt8>, to decoder: inout MessageDecoder, maxMessage: Int, maxFragments: Int = .max
) -> [RecordedEvent] {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
    defer { buffer.deallocate() }
    buffer.copyBytes(from: bytes)
    var input = buffer
    var events: [RecordedEvent] = []
    while let event = RecordedEvent(decoder.next(&input, maxMessage: maxMessage, maxFragments: maxFragments)) {
        events.append(event)
    }
    return input.isEmpty ? events : events + [.failure(.internalError)]
}

/// All events of a stream that arrives cut at the given places, which are in order.
func decode(
    _ stream: [UInt8], cuts: [Int] = [], maxMessage: Int = 1 << 20, compression: Bool = false
) -> [RecordedEvent] {
    var decoder = MessageDecoder(compression: compression)
    var start = 0
    var events: [RecordedEvent] = []
    for end in cuts + [stream.count] {
        events += feed(stream[start..<end], to: &decoder, maxMessage: maxMessage)
        start = end
    }
    return events
}

// RFC 6455 once more, read from the whole stream without care for speed or memory. The decoder must agree with it, however
// the stream is cut.

import WebSocket

struct ReferenceDecoder {
    private let stream: [UInt8]
    private let maxMessage: Int
    private var position = 0
    private var message: (isText: Bool, bytes: [UInt8])?

    init(_ stream: [UInt8], maxMessage: Int) {
        self.stream = stream
        self.maxMessage = maxMessage
    }

    mutating func events() -> [RecordedEvent] {
        var events: [RecordedEvent] = []
        while true {
            switch frame() {
            case .none: return events
            case .some(.none): continue
            case .some(.some(let event)):
                events.append(event)
                switch event {
                case .failure, .close: return events
                case .text, .binary, .compressed, .ping, .pong: continue
                }
            }
        }
    }

    /// One frame: nil when the stream ends within it, an inner nil when it completes nothing.
    private mutating func frame() -> RecordedEvent?? {
        let rest = stream[position...]
        guard let first = rest.first else { return nil }
        let opcode = first & 0x0F
        let isControl = opcode >= 8
        if first & 0x70 != 0 { return .failure(.reservedBits) }
        if ![0, 1, 2, 8, 9, 10].contains(opcode) { return .failure(.unknownOpcode) }
        if isControl && first < 0x80 { return .failure(.fragmentedControl) }
        if opcode == 0 && message == nil { return .failure(.unexpectedContinuation) }
        if (opcode == 1 || opcode == 2) && message != nil { return .failure(.expectedContinuation) }
        guard rest.count >= 2 else { return nil }
        let second = rest[position + 1]
        if second < 0x80 { return .failure(.maskMissing) }
        if isControl && second & 0x7F > 125 { return .failure(.controlTooLong) }
        let lengthBytes = second & 0x7F == 127 ? 8 : second & 0x7F == 126 ? 2 : 0
        guard rest.count >= 2 + lengthBytes else { return nil }
        var length = UInt64(second & 0x7F)
        if lengthBytes > 0 { length = rest.dropFirst(2).prefix(lengthBytes).reduce(0) { $0 << 8 | UInt64($1) } }
        if length > UInt64(Int.max) { return .failure(.lengthTooLarge) }
        if lengthBytes == 2 && length < 126 || lengthBytes == 8 && length < 65536 { return .failure(.lengthNotMinimal) }
        if !isControl && Int(length) > maxMessage - (message?.bytes.count ?? 0) { return .failure(.messageTooBig) }
        guard rest.count >= 2 + lengthBytes + 4 else { return nil }
        let key = Array(rest.dropFirst(2 + lengthBytes).prefix(4))
        let masked = rest.dropFirst(2 + lengthBytes + 4).prefix(Int(length))
        let payload = masked.enumerated().map { $1 ^ key[$0 % 4] }
        position = masked.endIndex
        let isWhole = payload.count == Int(length)
        if isControl { return isWhole ? control(opcode, payload) : nil }
        return data(opcode, payload, isFinal: first >= 0x80, isWhole: isWhole)
    }

    private func control(_ opcode: UInt8, _ payload: [UInt8]) -> RecordedEvent {
        if opcode == 9 { return .ping(payload) }
        if opcode == 10 { return .pong(payload) }
        if payload.isEmpty { return .close(nil, []) }
        if payload.count == 1 { return .failure(.closePayloadOfOneByte) }
        let code = UInt16(payload[0]) * 256 + UInt16(payload[1])
        let reason = Array(payload[2...])
        let isAllowed = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014].contains(code)
        if !isAllowed && !(3000..<5000).contains(code) { return .failure(.invalidCloseCode) }
        if !isUTF8(reason) { return .failure(.invalidCloseReason) }
        return .close(code, reason)
    }

    private mutating func data(_ opcode: UInt8, _ payload: [UInt8], isFinal: Bool, isWhole: Bool) -> RecordedEvent?? {
        if opcode != 0 { message = (opcode == 1, []) }
        message!.bytes += payload
        let (isText, bytes) = message!
        if isText && !isUTF8Prefix(bytes) { return .failure(.invalidText) }
        guard isWhole else { return nil }
        guard isFinal else { return .some(nil) }
        message = nil
        if isText && !isUTF8(bytes) { return .failure(.invalidText) }
        return isText ? .text(bytes) : .binary(bytes)
    }
}

/// Whether the standard library accepts the bytes as UTF-8.
func isUTF8(_ bytes: some Collection<UInt8>) -> Bool {
    String(validating: bytes, as: UTF8.self) != nil
}

/// Whether valid text can begin with these bytes: they are valid, or become valid when the last character is completed.
func isUTF8Prefix(_ bytes: some Collection<UInt8>) -> Bool {
    for cut in 0...min(3, bytes.count) where isUTF8(bytes.dropLast(cut)) {
        if cut == 0 || isCharacterPrefix(Array(bytes.suffix(cut))) { return true }
    }
    return false
}

/// Whether a character begins with these bytes and continues. For every first byte one of these second bytes is valid, and
/// every third and fourth byte may be 0x80.
private func isCharacterPrefix(_ bytes: [UInt8]) -> Bool {
    for second in [0x80, 0x90, 0xA0] as [UInt8] {
        for length in 1...3 where isUTF8(bytes + [second] + Array(repeating: 0x80, count: length - 1)) {
            let text = String(validating: bytes + [second] + Array(repeating: 0x80, count: length - 1), as: UTF8.self)!
            if text.unicodeScalars.count == 1 { return true }
        }
    }
    return false
}

// permessage-deflate: offers as clients write them; payloads as they compress them, good and bad, within the limit; and the
// server's own compressed messages, which must inflate to the original.

@testable import WebSocket

/// Each line is one Sec-WebSocket-Extensions field.
@Sendable func checkExtensions(_ input: [UInt8]) {
    let fields = String(decoding: input, as: UTF8.self).split(separator: "\n").prefix(10).map(String.init)
    guard let offers = ExtensionOffer.read(fields) else { return }
    let written = offers.map { offer in
        offer.name + offer.parameters.map { "; \($0.name)" + ($0.value.map { "=\($0)" } ?? "") }.joined()
    }
    expect(ExtensionOffer.read(written) == offers, "offers written again are the same offers")
    for policy in policies {
        guard let agreement = DeflateAgreement.negotiate(offers, policy) else { continue }
        taken()
        check(agreement, policy, offers)
    }
}

private func check(_ agreement: DeflateAgreement, _ policy: DeflatePolicy, _ offers: [ExtensionOffer]) {
    let granted = agreement.parameters
    expect((9...policy.windowBits).contains(Int(granted.serverWindowBits)), "our window is one that we have")
    expect((8...15).contains(granted.clientWindowBits), "the client's window is one that there is")
    expect(!granted.serverTakesOver || policy.serverContextTakeover, "no more is granted than the policy has")
    expect(!granted.clientTakesOver || policy.clientContextTakeover, "nor for the client")
    guard let answer = ExtensionOffer.read([agreement.response])?.first else {
        return expect(false, "the answer is an extension")
    }
    let names = answer.parameters.map(\.name)
    expect(answer.name == DeflateAgreement.extensionName && Set(names).count == names.count, "each parameter once")
    let isAnswered = offers.contains { offer in
        guard offer.name == answer.name else { return false }
        let asked = Set(offer.parameters.map(\.name))
        return asked.contains("client_max_window_bits") || !names.contains("client_max_window_bits")
    }
    expect(isAnswered, "the client's window is limited only where it allows that")
    expect(names.contains("server_no_context_takeover") == !granted.serverTakesOver, "and each side knows what holds")
    expect(names.contains("client_no_context_takeover") == !granted.clientTakesOver, "for both directions")
}

private let policies: [DeflatePolicy] = {
    var generous = DeflatePolicy()
    (generous.serverContextTakeover, generous.clientContextTakeover) = (true, true)
    var narrow = DeflatePolicy()
    narrow.windowBits = 9
    return [DeflatePolicy(), generous, narrow]
}()

/// The state of one loop, which all inputs of a run share.
nonisolated(unsafe) private let shared = Compression(DeflatePolicy())

private enum Inflated: Equatable {
    case message([UInt8])
    case failure(CloseReason)
}

private func inflate(
    _ payload: [UInt8], binary: Bool, by compression: Compression, with own: Inflater? = nil, limit: Int
) -> Inflated {
    payload.withUnsafeBytes { payload in
        switch compression.inflate(payload, binary: binary, with: own, maxMessage: limit) {
        case .message(let bytes): .message(Array(bytes))
        case .failure(let reason): .failure(reason)
        }
    }
}

@Sendable func checkInflating(_ input: [UInt8]) {
    var generator = generator(for: input)
    for limit in [1 << 20, Int.random(in: 0...300, using: &generator)] {
        let binary = Bool.random(using: &generator)
        let result = inflate(input, binary: binary, by: shared, limit: limit)
        let fresh = inflate(input, binary: binary, by: Compression(DeflatePolicy()), limit: limit)
        expect(result == fresh, "no message of another client changes what a payload means")
        switch result {
        case .message(let bytes):
            taken()
            expect(bytes.count <= limit, "no message is larger than the limit")
            expect(binary || String(validating: bytes, as: UTF8.self) != nil, "a text is UTF-8")
        case .failure(let reason):
            expect([.messageTooBig, .corruptCompression, .invalidText].contains(reason), "a failure is the client's")
        }
    }
    // The same payload twice on a connection that keeps its window: the remains of the first break nothing.
    let own = Inflater(windowBits: Int.random(in: 8...15, using: &generator), keepsContext: true)
    for _ in 0..<2 {
        guard case .message(let bytes) = inflate(input, binary: true, by: shared, with: own, limit: 1 << 16) else {
            break
        }
        expect(bytes.count <= 1 << 16, "no message is larger than the limit")
    }
    shared.endTurn()
}

@Sendable func checkDeflating(_ input: [UInt8]) {
    guard !input.isEmpty else { return }
    var generator = generator(for: input)
    // Longer than the input, with repetitions at distances that reach over small windows.
    let message = Array(repeatElement(input, count: Int.random(in: 1...6, using: &generator)).joined())
    let bits = Int.random(in: 9...15, using: &generator)
    let alone = message.withUnsafeBytes { shared.deflate($0, windowBits: bits).map { Array($0) } }
    if let alone {
        taken()
        expect(alone.count < message.count, "a compressed message is smaller")
        expect(
            inflate(alone, binary: true, by: shared, limit: message.count) == .message(message),
            "it inflates to what it was")
        expect(
            inflate(alone, binary: true, by: shared, limit: message.count - 1) == .failure(.messageTooBig),
            "and not within a smaller limit")
    }
    let deflater = Deflater(level: Int.random(in: 1...9, using: &generator), windowBits: bits, keepsContext: true)
    let inflater = Inflater(windowBits: bits, keepsContext: true)
    for piece in [message, input, message] {
        let compressed = piece.withUnsafeBytes { Array(shared.deflate($0, with: deflater)) }
        expect(compressed.count <= Compression.bound(piece.count), "it keeps the bound: \(compressed.count)")
        expect(
            inflate(compressed, binary: true, by: shared, with: inflater, limit: piece.count) == .message(piece),
            "messages that refer to earlier ones inflate in their order")
    }
    shared.endTurn()
}

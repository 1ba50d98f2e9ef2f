// The bridge's results as Swift values: texts, lists of strings, and their meanings. The bridge's memory is valid until the
// next call into it, so everything is copied here.

import LuaBridge

extension BridgeResult {
    var textString: String { Self.string(text, textCount) }
    var tracebackString: String { Self.string(traceback, tracebackCount) }

    var messageString: String {
        outcome == .closeRequested
            ? "error{code = \(code), reason = \"\(textString)\"} closes a connection, and there is none here"
            : Self.string(message, messageCount)
    }

    /// The close reason, cut to the 123 bytes that fit a close frame (RFC 6455, 5.5).
    var reason: String {
        var reason = Substring(textString)
        while reason.utf8.count > 123 {
            reason.removeLast()
        }
        return String(reason)
    }

    private static func string(_ bytes: UnsafePointer<CChar>?, _ count: Int) -> String {
        String(decoding: UnsafeRawBufferPointer(start: bytes, count: count), as: UTF8.self)
    }
}

extension BridgeResult {
    /// The strings of the list that the handler left.
    var strings: [[UInt8]] {
        guard let list else { return [] }
        var strings: [[UInt8]] = []
        var offset = 0
        var count = 0
        while let bytes = bridgeStringsNext(list, &offset, &count) {
            strings.append(Array(UnsafeRawBufferPointer(start: bytes, count: count)))
        }
        return strings
    }

    var pairs: [(name: String, value: [UInt8])] {
        let strings = strings
        return stride(from: 0, to: strings.count - 1, by: 2).map {
            (String(decoding: strings[$0], as: UTF8.self), strings[$0 + 1])
        }
    }
}

extension PublicationChange {
    init?(_ result: BridgeResult) {
        guard result.list != nil else { return nil }
        let pairs = result.pairs
        channel = pairs.first { $0.name == "channel" }?.value
        key = pairs.first { $0.name == "key" }?.value
        data = pairs.first { $0.name == "data" }?.value
        isBinary = result.code != 0
    }
}

extension CallResponse {
    init(_ result: BridgeResult) {
        let pairs = result.pairs
        status = Int(result.code)
        body = pairs.first?.value ?? []
        type = String(decoding: pairs.dropFirst().first?.value ?? [], as: UTF8.self)
        headers = pairs.dropFirst(2).map { ($0.name, String(decoding: $0.value, as: UTF8.self)) }
    }
}

// The texts of what the bridge reports. They are valid until the next call into it, so they are copied here.

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

// Requests for a WebSocket that must not get one.

import PerigeeTestKit

extension HostileStream {
    static let handshakes = keys + versions + upgrades + bodies + targets

    private static let keys: [HostileStream] = [
        upgrade("no key", ["Sec-WebSocket-Key": ""], 400),
        upgrade("a key of 15 bytes", ["Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAA"], 400),
        upgrade("a key of 17 bytes", ["Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAAA="], 400),
        upgrade("a key of 18 bytes", ["Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAAAA"], 400),
        upgrade("a key without its padding", ["Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA"], 400),
        upgrade("a key with padding inside", ["Sec-WebSocket-Key": "AAAAAAAAAAA=AAAAAAAAAA=="], 400),
        upgrade("a key that is not base64", ["Sec-WebSocket-Key": "!!!!!!!!!!!!!!!!!!!!!!=="], 400),
        upgrade("a key in base64 for URLs", ["Sec-WebSocket-Key": "AAAAAAAAAAA-_AAAAAAAAA=="], 400),
        upgrade("an endless key", ["Sec-WebSocket-Key": String(repeating: "A", count: 10_000)], 400),
        adding("a second key", "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==", 400),
    ]

    private static let versions: [HostileStream] = [
        upgrade("no version", ["Sec-WebSocket-Version": ""], 426),
        upgrade("version 0", ["Sec-WebSocket-Version": "0"], 426),
        upgrade("version 8", ["Sec-WebSocket-Version": "8"], 426),
        upgrade("version 013", ["Sec-WebSocket-Version": "013"], 426),
        upgrade("version +13", ["Sec-WebSocket-Version": "+13"], 426),
        upgrade("version 13.0", ["Sec-WebSocket-Version": "13.0"], 426),
        upgrade("version 13 in quotes", ["Sec-WebSocket-Version": "\"13\""], 426),
        upgrade("versions 13 and 8 at once", ["Sec-WebSocket-Version": "13, 8"], 426),
        adding("a second version", "Sec-WebSocket-Version: 13", 426),
    ]

    private static let upgrades: [HostileStream] = [
        upgrade("Connection without Upgrade", ["Connection": "keep-alive"], 400),
        upgrade("Connection with half of Upgrade", ["Connection": "Upgrad"], 400),
        upgrade("no Connection", ["Connection": ""], 400),
        upgrade("an upgrade to HTTP/2", ["Upgrade": "h2c"], 426, .halfCloses),
        upgrade("an upgrade to a later WebSocket", ["Upgrade": "websocket2"], 426, .halfCloses),
        upgrade("no Host", ["Host": ""], 400),
        adding("a second Host", "Host: i", 400),
        upgrade("subprotocols that are no tokens", ["Sec-WebSocket-Protocol": "a b, c"], 400),
        upgrade(
            "too many subprotocols",
            ["Sec-WebSocket-Protocol": (1...65).map { "n\($0)" }.joined(separator: ",")], 400),
        upgrade("the same subprotocol twice", ["Sec-WebSocket-Protocol": "a, a"], 400),
        adding("the same subprotocol in two fields", "Sec-WebSocket-Protocol: a\r\nSec-WebSocket-Protocol: a", 400),
        upgrade("a subprotocol in quotes", ["Sec-WebSocket-Protocol": "\"a\""], 400),
    ]

    private static let bodies: [HostileStream] = [
        upgrade("a body", ["Content-Length": "5"], 400),
        upgrade("a body in chunks", ["Transfer-Encoding": "chunked"], 400),
        upgrade("a body over the limit", ["Content-Length": "99999999999"], 413),
        upgrade("an expectation nobody knows", ["Expect": "101-switching"], 417),
        upgrade("150 fields", Dictionary(uniqueKeysWithValues: (0..<150).map { ("X-\($0)", "a") }), 431),
        upgrade("a cookie over the limit", ["Cookie": String(repeating: "c", count: 20_000)], 431),
        upgrade("a control byte in a field", ["Origin": "http://h\u{1B}[31m"], 400),
    ]

    private static let targets: [HostileStream] = [
        upgrade("a broken escape in the path", path: "/%zz", [:], 400),
        upgrade("half an escape in the path", path: "/%a", [:], 400),
        upgrade("a path that is not UTF-8", path: "/%FF", [:], 400),
        upgrade("an overlong slash in the path", path: "/%C0%AF", [:], 400),
        upgrade("a path over the limit", path: "/" + String(repeating: "a", count: 9000), [:], 414),
        changing("POST", from: "GET ", to: "POST ", 405),
        changing("HEAD", from: "GET ", to: "HEAD ", 405),
        changing("a method of its own", from: "GET ", to: "WEBSOCKET ", 405),
        changing("HTTP/1.0", from: "HTTP/1.1", to: "HTTP/1.0", 400),
        changing("HTTP/2.0", from: "HTTP/1.1", to: "HTTP/2.0", 505),
    ]

    /// A handshake with one field changed; an empty value leaves it out.
    private static func upgrade(
        _ rule: String, path: String = "/echo", _ change: [String: String], _ status: Int, _ ending: Ending = .waits
    ) -> HostileStream {
        let fields = change.map { ($0.key, $0.value) }
        let text = WebSocketClient.request(path: path, host: "h", headers: fields)
        return .request("a handshake with " + rule, text, .status(status), ending)
    }

    /// A handshake with a field line behind the others.
    private static func adding(_ rule: String, _ line: String, _ status: Int) -> HostileStream {
        let text = WebSocketClient.request(path: "/echo", host: "h").dropLast() + "\(line)\r\n\r\n"
        return .request("a handshake with " + rule, String(text), .status(status))
    }

    /// A handshake with a part of its request line changed.
    private static func changing(_ rule: String, from old: String, to new: String, _ status: Int) -> HostileStream {
        let text = WebSocketClient.request(path: "/echo", host: "h").replacing(old, with: new, maxReplacements: 1)
        return .request("a handshake with " + rule, text, .status(status))
    }
}

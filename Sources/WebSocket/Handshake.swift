// The opening handshake of RFC 6455, 4.2, seen from the server: is this request one, is it a right one, and what is
// answered. It reads a request through `Handshake.Request`, so it knows no HTTP parser.
// Allocates: a few short strings per handshake.
// Read next: Handshake+Response.swift.

/// The opening handshake (RFC 6455, 4.2).
public enum Handshake {
    /// The one version of the protocol that exists (RFC 6455, 4.1).
    public static let version = "13"

    /// How many subprotocols, and how many extensions with their parameters, a client may offer if nothing else is said.
    public static let mostOffers = 64

    /// Judges a request.
    ///
    /// Who asks for another version, or for none, is told ours (426, RFC 6455, 4.4); other faults of a handshake are
    /// 400, and 405 for a method other than GET. A request that does not ask for a WebSocket is `notAnUpgrade`.
    /// - Parameter most: how many subprotocols, and how many extensions and parameters of extensions, a client may offer.
    public static func evaluate(_ request: some Request, offers most: Int = mostOffers) -> Outcome {
        guard request.hasToken("websocket", in: "upgrade") else { return .notAnUpgrade }
        guard request.isGet else { return .wrongMethod }
        guard request.minorVersion >= 1 else { return .malformed("a WebSocket handshake needs HTTP/1.1") }
        guard request.hasToken("upgrade", in: "connection") else {
            return .malformed("Connection must name Upgrade")
        }
        let hosts = request.all("host")
        guard hosts.count == 1, !hosts[0].isEmpty else { return .malformed("exactly one Host is needed") }
        guard !request.hasBody else { return .malformed("a WebSocket handshake has no body") }
        guard request.all("sec-websocket-version") == [version] else { return .wrongVersion }
        let keys = request.all("sec-websocket-key")
        guard keys.count == 1, isKey(keys[0]) else {
            return .malformed("exactly one Sec-WebSocket-Key of 16 bytes in base64 is needed")
        }
        guard let subprotocols = readSubprotocols(request.all("sec-websocket-protocol"), most: most) else {
            return .malformed("Sec-WebSocket-Protocol must list distinct tokens, at most \(most)")
        }
        guard let extensions = ExtensionOffer.read(request.all("sec-websocket-extensions"), most: most) else {
            return .malformed(
                "Sec-WebSocket-Extensions must list extensions with their parameters, at most \(most) in all"
            )
        }
        return .accept(
            Acceptance(accept: acceptValue(key: keys[0]), subprotocols: subprotocols, extensions: extensions))
    }

    /// Whether it is the base64 form of 16 bytes: 22 digits and two equals signs. The four bits that the last digit has
    /// to spare may be set: the bytes are the same.
    private static func isKey(_ key: String) -> Bool {
        key.utf8.count == 24 && key.hasSuffix("==") && key.utf8.prefix(22).allSatisfy(isBase64Digit)
    }

    private static func isBase64Digit(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "/"):
            true
        default: false
        }
    }
}

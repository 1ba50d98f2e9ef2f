// The opening handshake of RFC 6455, 4.2, on the server's side: whether a request asks for a WebSocket, whether it asks
// correctly, and the server's answer. It reads a request through `Handshake.Request`, so it depends on no HTTP parser.
// Allocates: a few short strings per handshake.
// Read next: ExtensionOffer.swift, then MessageDecoder.swift.

import COpenSSL

/// The opening handshake (RFC 6455, 4.2).
public enum Handshake {
    /// The one version of the protocol that exists (RFC 6455, 4.1).
    public static let version = "13"

    /// The default for how many subprotocols, and how many extensions and parameters together, a client may offer.
    public static let mostOffers = 64

    /// The head of an HTTP request, as far as a handshake needs it. Names of fields are given in lower case and match in
    /// any case; values come without the white space around them.
    public protocol Request {
        /// Whether the method is GET.
        var isGet: Bool { get }
        /// The x of HTTP/1.x.
        var minorVersion: Int { get }
        /// Whether a body follows the head.
        var hasBody: Bool { get }
        /// The values of all fields of this name, in order.
        func all(_ name: String) -> [String]
        /// Whether a field of this name lists the token. The token is given in lower case and matches in any case (RFC
        /// 9110, 5.6.1).
        func hasToken(_ token: String, in name: String) -> Bool
    }

    /// The answer that a request needs.
    public enum Outcome: Sendable {
        /// It does not ask for a WebSocket.
        case notAnUpgrade
        /// It is a correct handshake; the application may still refuse it.
        case accept(Acceptance)
        /// It is a faulty handshake: the status (400, 405 or 426), a sentence for the body, and fields that the response
        /// must have.
        case refuse(status: Int, reason: String, fields: [(String, String)])

        fileprivate static func malformed(_ reason: String) -> Outcome {
            .refuse(status: 400, reason: reason, fields: [])
        }

        fileprivate static var wrongMethod: Outcome {
            .refuse(status: 405, reason: "a WebSocket handshake must be a GET", fields: [("Allow", "GET")])
        }

        fileprivate static var wrongVersion: Outcome {
            .refuse(
                status: 426, reason: "this server supports only WebSocket version 13",
                fields: [("Sec-WebSocket-Version", version), ("Upgrade", "websocket"), ("Connection", "Upgrade")])
        }
    }

    /// The parts of the 101 response to a correct request.
    public struct Acceptance: Equatable, Sendable {
        /// The value of Sec-WebSocket-Accept.
        public let accept: String
        /// The subprotocols that the client offers: distinct tokens, the preferred one first.
        public let subprotocols: [String]
        /// The extensions that the client offers, the preferred one first.
        public let extensions: [ExtensionOffer]
    }

    // MARK: Request

    /// Judges a request.
    ///
    /// A wrong or missing version is answered with 426 and ours (RFC 6455, 4.4), a method other than GET with 405, any
    /// other fault with 400. A request that does not ask for a WebSocket is `notAnUpgrade`.
    /// - Parameter most: how many subprotocols, and how many extensions and parameters together, a client may offer.
    public static func evaluate(_ request: some Request, offers most: Int = mostOffers) -> Outcome {
        guard request.hasToken("websocket", in: "upgrade") else { return .notAnUpgrade }
        guard request.isGet else { return .wrongMethod }
        guard request.minorVersion >= 1 else { return .malformed("a WebSocket handshake needs HTTP/1.1") }
        guard request.hasToken("upgrade", in: "connection") else {
            return .malformed("Connection must name Upgrade")
        }
        let hosts = request.all("host")
        guard hosts.count == 1, !hosts[0].isEmpty else { return .malformed("exactly one Host is required") }
        guard !request.hasBody else { return .malformed("a WebSocket handshake must not have a body") }
        guard request.all("sec-websocket-version") == [version] else { return .wrongVersion }
        let keys = request.all("sec-websocket-key")
        guard keys.count == 1, isKey(keys[0]) else {
            return .malformed("exactly one Sec-WebSocket-Key of 16 bytes in Base64 is required")
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

    /// Whether the text is the Base64 form of 16 bytes: 22 digits and two equals signs. The four spare bits of the last
    /// digit may be set, because they do not change the bytes.
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

    // MARK: Subprotocols

    /// The first of the client's subprotocols that the server supports (RFC 6455, 1.9). Nil when there is none; the
    /// connection opens all the same. Names are case-sensitive.
    public static func chooseSubprotocol(offered: [String], supported: [String]) -> String? {
        offered.first(where: supported.contains)
    }

    /// The tokens of all Sec-WebSocket-Protocol fields, in order (RFC 6455, 11.3.4). Nil when an element is no token or
    /// appears twice, and when there are more than `most`. Empty elements are ignored (RFC 9110, 5.6.1.2).
    private static func readSubprotocols(_ fields: [String], most: Int) -> [String]? {
        var tokens: [String] = []
        var seen: Set<String> = []
        for field in fields {
            for element in field.utf8.split(separator: UInt8(ascii: ",")) {
                let token = trimmed(element)
                if token.isEmpty { continue }
                guard tokens.count < most, token.allSatisfy(isTokenByte) else { return nil }
                let name = String(Substring(token))
                guard seen.insert(name).inserted else { return nil }
                tokens.append(name)
            }
        }
        return tokens
    }

    /// The element without the spaces and tabs around it.
    private static func trimmed(_ element: Substring.UTF8View) -> Substring.UTF8View {
        var element = element.drop(while: isBlank)
        while let last = element.last, isBlank(last) { element.removeLast() }
        return element
    }

    static func isBlank(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t")
    }

    /// Whether the byte is allowed in a token (RFC 9110, 5.6.2).
    static func isTokenByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        case 0x21, 0x23...0x27, 0x2A, 0x2B, 0x2D, 0x2E, 0x5E...0x60, 0x7C, 0x7E: true
        default: false
        }
    }

    // MARK: Response

    /// Appends the 101 response, including the empty line at its end (RFC 6455, 4.2.2, step 5).
    ///
    /// - Parameters:
    ///   - accept: The value of Sec-WebSocket-Accept.
    ///   - subprotocol: The chosen one, which the client must have offered; nil for none.
    ///   - extensions: The value of Sec-WebSocket-Extensions, which must answer an offer of the client; nil for none.
    ///   - output: Where the response goes.
    public static func writeResponse(
        accept: String, subprotocol: String?, extensions: String? = nil, into output: inout [UInt8]
    ) {
        output.append(contentsOf: "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n".utf8)
        output.append(contentsOf: "Connection: Upgrade\r\nSec-WebSocket-Accept: ".utf8)
        output.append(contentsOf: accept.utf8)
        if let subprotocol {
            output.append(contentsOf: "\r\nSec-WebSocket-Protocol: ".utf8)
            output.append(contentsOf: subprotocol.utf8)
        }
        if let extensions {
            output.append(contentsOf: "\r\nSec-WebSocket-Extensions: ".utf8)
            output.append(contentsOf: extensions.utf8)
        }
        output.append(contentsOf: "\r\n\r\n".utf8)
    }

    /// The value of Sec-WebSocket-Accept for a Sec-WebSocket-Key: SHA-1 of the key and a fixed text, in Base64 (RFC 6455,
    /// 4.2.2, step 5.4). It protects nothing; it shows that the server has understood the handshake.
    public static func acceptValue(key: String) -> String {
        var input = key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        return input.withUTF8 { text in
            withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 20) { digest in
                let isDone = perigee_sha1(text.baseAddress, text.count, digest.baseAddress)
                precondition(isDone, "this build of OpenSSL refuses SHA-1, which WebSocket requires")
                // 28 digits and the NUL that OpenSSL appends.
                return String(unsafeUninitializedCapacity: 29) { base64 in
                    Int(EVP_EncodeBlock(base64.baseAddress, digest.baseAddress, 20))
                }
            }
        }
    }
}

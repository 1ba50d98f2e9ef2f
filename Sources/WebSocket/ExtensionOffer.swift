// One element of Sec-WebSocket-Extensions: an extension that a client proposes, in the client's words. Each extension
// gives its parameters their meaning.
//
//     extension-list = 1#(token *( ";" token [ "=" ( token | quoted-string ) ] ))          (RFC 6455, 9.1)
//
// Allocates: strings, at a handshake that offers something.
// Read next: Deflate/DeflateAgreement.swift.

/// An extension that a client offers, with its parameters (RFC 6455, 9.1).
public struct ExtensionOffer: Equatable, Sendable {
    /// A parameter. Its value is a token, without the quotes around it, or nil where there is none.
    public struct Parameter: Equatable, Sendable {
        public let name: String
        public let value: String?
    }

    public let name: String
    /// In the client's order; a name may appear more than once.
    public let parameters: [Parameter]
}

extension ExtensionOffer {
    /// The offers of all Sec-WebSocket-Extensions fields, in order. Nil when a field breaks the grammar, and when there are
    /// more than `most` extensions and parameters together. Empty elements are ignored (RFC 9110, 5.6.1.2).
    static func read(_ fields: [String], most: Int = .max) -> [ExtensionOffer]? {
        var offers: [ExtensionOffer] = []
        var room = most
        for field in fields {
            var reader = Reader(rest: field.utf8[...])
            repeat {
                if reader.isAtEmptyElement { continue }
                guard let offer = reader.readOffer(&room) else { return nil }
                offers.append(offer)
            } while reader.take(",")
            guard reader.rest.isEmpty else { return nil }
        }
        return offers
    }
}

/// The rest of a field, read from its front. Each step skips white space first.
private struct Reader {
    var rest: Substring.UTF8View

    /// Whether nothing stands before the next comma, or before the end.
    var isAtEmptyElement: Bool {
        mutating get {
            skipBlanks()
            return rest.first.map { $0 == UInt8(ascii: ",") } ?? true
        }
    }

    /// An extension with its parameters. Each takes one of `room`.
    mutating func readOffer(_ room: inout Int) -> ExtensionOffer? {
        guard room > 0, let name = readToken() else { return nil }
        room -= 1
        var parameters: [ExtensionOffer.Parameter] = []
        while take(";") {
            guard room > 0 else { return nil }
            room -= 1
            guard let parameter = readParameter() else { return nil }
            parameters.append(parameter)
        }
        return ExtensionOffer(name: name, parameters: parameters)
    }

    private mutating func readParameter() -> ExtensionOffer.Parameter? {
        guard let name = readToken() else { return nil }
        guard take("=") else { return ExtensionOffer.Parameter(name: name, value: nil) }
        guard let value = take("\"") ? readQuoted() : readToken() else { return nil }
        return ExtensionOffer.Parameter(name: name, value: value)
    }

    private mutating func readToken() -> String? {
        skipBlanks()
        let token = rest.prefix(while: Handshake.isTokenByte)
        rest = rest[token.endIndex...]
        return token.isEmpty ? nil : String(decoding: token, as: UTF8.self)
    }

    /// The rest of a quoted string. A backslash makes the next byte stand for itself; the result must be a token.
    private mutating func readQuoted() -> String? {
        var value: [UInt8] = []
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "\"") { return value.isEmpty ? nil : String(decoding: value, as: UTF8.self) }
            guard let meant = byte == UInt8(ascii: "\\") ? rest.popFirst() : byte, Handshake.isTokenByte(meant) else {
                return nil
            }
            value.append(meant)
        }
        return nil
    }

    /// Takes the sign if it is next.
    mutating func take(_ sign: Unicode.Scalar) -> Bool {
        skipBlanks()
        guard rest.first == UInt8(ascii: sign) else { return false }
        rest.removeFirst()
        skipBlanks()
        return true
    }

    private mutating func skipBlanks() {
        rest = rest.drop(while: Handshake.isBlank)
    }
}

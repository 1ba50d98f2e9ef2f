// The grammar of Sec-WebSocket-Extensions (RFC 6455, 9.1): elements between commas, parameters between semicolons, values
// as tokens or quoted tokens, white space around all of them.
//
//     extension-list = 1#(token *( ";" token [ "=" ( token | quoted-string ) ] ))

extension ExtensionOffer {
    /// The offers of all Sec-WebSocket-Extensions fields, in order; nil when a field breaks the grammar, and when there are
    /// more than `most` extensions and parameters in all. Empty elements are ignored (RFC 9110, 5.6.1.2).
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

/// What is left of a field, read from its front; white space is skipped before each step.
private struct Reader {
    var rest: Substring.UTF8View

    /// Whether nothing stands before the next comma, or before the end.
    var isAtEmptyElement: Bool {
        mutating get {
            skipBlanks()
            return rest.first.map { $0 == UInt8(ascii: ",") } ?? true
        }
    }

    /// An extension with its parameters, which take as much of the room.
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

    /// The rest of a quoted string. A backslash makes the next byte stand for itself, and what comes of it all must be a
    /// token.
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

    /// Takes the sign if it comes next.
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

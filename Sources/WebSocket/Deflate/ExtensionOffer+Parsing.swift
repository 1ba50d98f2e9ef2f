// The grammar of Sec-WebSocket-Extensions (RFC 6455, 9.1): elements between commas, parameters between semicolons, values
// as tokens or quoted tokens, white space around all of them.
//
//     extension-list = 1#(token *( ";" token [ "=" ( token | quoted-string ) ] ))

extension ExtensionOffer {
    /// The offers of all Sec-WebSocket-Extensions fields, in order; nil when a field breaks the grammar.
    static func read(_ fields: [String]) -> [ExtensionOffer]? {
        var offers: [ExtensionOffer] = []
        for field in fields {
            var reader = Reader(rest: field.utf8[...])
            repeat {
                guard let offer = reader.readOffer() else { return nil }
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

    mutating func readOffer() -> ExtensionOffer? {
        guard let name = readToken() else { return nil }
        var parameters: [ExtensionOffer.Parameter] = []
        while take(";") {
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

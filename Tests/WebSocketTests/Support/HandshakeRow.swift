// A handshake request made of fields, and its expected outcome.

import Testing
import WebSocket

struct HandshakeRow: CustomTestStringConvertible, Sendable {
    enum Answer: Equatable {
        case plain
        case accepted([String])
        case refused(Int)
    }

    let rule: String
    let request: LineRequest
    let answer: Answer

    /// The handshake of RFC 6455, 1.2, without the fields named in `without` and with those in `adding`.
    init(
        _ rule: String, method: String = "GET", minorVersion: Int = 1, without: Set<String> = [],
        adding: [(String, String)] = [], hasBody: Bool = false, gives answer: Answer
    ) {
        let usual = [
            ("Host", "server.example.com"), ("Upgrade", "websocket"), ("Connection", "Upgrade"),
            ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="), ("Origin", "http://example.com"),
            ("Sec-WebSocket-Version", "13"),
        ]
        self.rule = rule
        self.request = LineRequest(
            isGet: method == "GET", minorVersion: minorVersion, hasBody: hasBody,
            fields: usual.filter { !without.contains($0.0) } + adding)
        self.answer = answer
    }

    /// The same with one field replaced.
    init(_ rule: String, replacing name: String, by value: String, gives answer: Answer) {
        self.init(rule, without: [name], adding: [(name, value)], gives: answer)
    }

    var testDescription: String { rule }
}

struct LineRequest: Handshake.Request, Sendable {
    let isGet: Bool
    let minorVersion: Int
    let hasBody: Bool
    let fields: [(String, String)]

    func all(_ name: String) -> [String] {
        fields.filter { $0.0.lowercased() == name }.map(\.1)
    }

    func hasToken(_ token: String, in name: String) -> Bool {
        all(name).joined(separator: ",").lowercased().split(separator: ",").contains { element in
            element.drop { $0 == " " } == token
        }
    }
}

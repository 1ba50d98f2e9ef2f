// The opening handshake, from the bytes of the request to the 101: an accepted request is one that RFC 6455 allows, judged here
// a second time and with less care for speed.

import HTTP1
import PerigeeTestKit
import WebSocket

/// A request as the handshake looks at it.
private struct Request: Handshake.Request {
    let head: RequestHead

    var isGet: Bool { head.method == .get }
    var minorVersion: Int { head.minorVersion }
    var hasBody: Bool { head.body != .none }
    func all(_ name: String) -> [String] { head.all(name) }
    func hasToken(_ token: String, in name: String) -> Bool { head.hasToken(token, in: name) }
}

@Sendable func checkHandshake(_ input: [UInt8]) {
    for request in HTTPTranscript([input], limits: HTTPLimits()).requests {
        switch Handshake.evaluate(Request(head: request.head)) {
        case .notAnUpgrade:
            expect(!request.head.hasToken("websocket", in: "upgrade"), "a request for an upgrade gets an answer to it")
        case .refuse(let status, let reason, let fields):
            expect([400, 405, 426].contains(status), "a refusal has one of three statuses")
            expect(!reason.isEmpty && (status != 426 || !fields.isEmpty), "and says why")
        case .accept(let acceptance):
            taken()
            check(acceptance, request.head)
        }
    }
}

private func check(_ acceptance: Handshake.Acceptance, _ head: RequestHead) {
    expect(head.methodText == "GET" && head.minorVersion > 0 && head.body == .none, "only a plain GET is accepted")
    expect(head.all("sec-websocket-version") == ["13"], "and only version 13")
    let keys = head.all("sec-websocket-key")
    expect(keys.count == 1 && keys[0].utf8.count == 24, "with one key")
    expect(acceptance.accept == WebSocketClient.acceptValue(for: keys[0]), "the proof is the one that a client expects")
    let names = acceptance.subprotocols
    expect(Set(names).count == names.count && !names.contains(""), "subprotocols are distinct")
    for name in names {
        expect(name.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: ",") }, "and tokens")
        checkAnswer(acceptance.accept, name, nil)
    }
    let agreement = DeflateAgreement.negotiate(acceptance.extensions, DeflatePolicy())
    checkAnswer(acceptance.accept, nil, agreement?.response)
}

private func checkAnswer(_ accept: String, _ subprotocol: String?, _ extensions: String?) {
    var answer: [UInt8] = []
    Handshake.writeResponse(accept: accept, subprotocol: subprotocol, extensions: extensions, into: &answer)
    let lines = String(decoding: answer, as: UTF8.self).split(separator: "\r\n", omittingEmptySubsequences: false)
    let count = 6 + (subprotocol == nil ? 0 : 1) + (extensions == nil ? 0 : 1)
    expect(lines.count == count && lines.suffix(2) == ["", ""], "the answer has no other lines")
}

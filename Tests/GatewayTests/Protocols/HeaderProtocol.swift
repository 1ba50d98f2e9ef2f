// A client protocol that only tests speak, small enough to be read at a glance: one header line before each payload. It proves the
// seam until the server has a protocol of its own.
//
// From the client, any number of requests in a message: `#LENGTH\n` and so many bytes. To the client: `OFFSET CHANNEL\n` and the
// payload of a publication, or `-\n` and any other payload. Binary messages have no form.

import ClientProtocols
import PubSub
import Synchronization
import WebSocket

/// The conversation with one client.
final class HeaderProtocol: ClientProtocol {
    /// How often a message was encoded, by all connections.
    final class Count: Sendable {
        private let encodings = Atomic<Int>(0)
        var value: Int { encodings.load(ordering: .relaxed) }
        fileprivate func add() { encodings.add(1, ordering: .relaxed) }
    }

    static let subprotocol = "test.header"

    let form = WireForm(rawValue: 1)
    private let count: Count

    init(_ count: Count) { self.count = count }

    /// A table of this protocol alone.
    static func table(_ count: Count) -> ProtocolTable {
        ProtocolTable([.init(subprotocol: subprotocol) { HeaderProtocol(count) }])
    }

    func next(_ rest: inout UnsafeRawBufferPointer, binary: Bool) -> ClientRequest? {
        guard rest.first == UInt8(ascii: "#"), let end = rest.firstIndex(of: UInt8(ascii: "\n")),
            let length = Int(String(decoding: rest[1..<end], as: UTF8.self)), (0..<rest.count - end).contains(length)
        else { return .breach(.internalError) }
        let payload = UnsafeRawBufferPointer(rebasing: rest[(end + 1)...].prefix(length))
        rest = UnsafeRawBufferPointer(rebasing: rest[(end + 1 + length)...])
        return .message(payload, binary: binary)
    }

    func encode(_ payload: UnsafeRawBufferPointer, binary: Bool, of publication: Publication?) -> Frame? {
        count.add()
        guard !binary else { return nil }
        let header = publication.map { "\($0.position?.offset ?? 0) \($0.channel)" } ?? "-"
        return .text(header + "\n" + String(decoding: payload, as: UTF8.self))
    }

    func end(_ end: ConnectionEnd) -> (code: CloseCode, reason: String) {
        switch end {
        case .reason(let reason, let text): (CloseCode(rawValue: 3_500 + UInt16(reason.rawValue)), "header: \(text)")
        case .asked(let code, let text): (code, "asked: \(text)")
        }
    }
}

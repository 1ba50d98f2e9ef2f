// The part of an HTTP/2 server that is needed to answer a correct client (RFC 9113): frames, and one indexed header
// field.

import COpenSSL

@testable import EventLoop

/// A server that speaks HTTP/2 over TLS and answers when the test says so.
final class HTTP2Backend {
    struct Frame {
        var type: UInt8
        var flags: UInt8 = 0
        var stream: UInt32 = 0
        var payload: [UInt8] = []
    }

    private static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)

    let backend: Backend
    /// Streams with a request, in order.
    private(set) var asked: [UInt32] = []
    /// Streams that the client has reset.
    private(set) var reset: [UInt32] = []
    private var input: [UInt8] = []
    private var hasPreface = false

    init(on loop: EventLoop, _ context: TLSContext) throws {
        SSL_CTX_set_alpn_select_cb(context.contexts[0], chooseHTTP2, nil)
        backend = try Backend(on: loop, security: context)
        backend.accepted = { [weak self] connection in
            connection.isRaw = true
            connection.arrived = { self?.received($0) }
        }
    }

    private var connection: BackendConnection { backend.connections[0] }

    func reply(to stream: UInt32, _ body: [UInt8]) {
        // ":status: 200" is number 8 of the static table.
        send(Frame(type: 1, flags: 4, stream: stream, payload: [0x88]))
        var rest = body[...]
        repeat {
            let piece = rest.prefix(16_384)
            rest = rest.dropFirst(piece.count)
            send(Frame(type: 0, flags: rest.isEmpty ? 1 : 0, stream: stream, payload: Array(piece)))
        } while !rest.isEmpty
    }

    private func received(_ connection: BackendConnection) {
        input += connection.takeBytes()
        if !hasPreface {
            guard input.count >= Self.preface.count else { return }
            precondition(input.starts(with: Self.preface))
            input.removeFirst(Self.preface.count)
            hasPreface = true
            send(Frame(type: 4))
        }
        while let frame = takeFrame() { handle(frame) }
    }

    private func handle(_ frame: Frame) {
        switch frame.type {
        case 1: asked.append(frame.stream)
        case 3: reset.append(frame.stream)
        case 4 where frame.flags & 1 == 0: send(Frame(type: 4, flags: 1))
        default: break
        }
    }

    private func takeFrame() -> Frame? {
        guard input.count >= 9 else { return nil }
        let size = input[0..<3].reduce(0) { $0 << 8 | Int($1) }
        guard input.count >= 9 + size else { return nil }
        let stream = input[5..<9].reduce(UInt32(0)) { $0 << 8 | UInt32($1) } & 0x7FFF_FFFF
        let frame = Frame(type: input[3], flags: input[4], stream: stream, payload: Array(input[9..<(9 + size)]))
        input.removeFirst(9 + size)
        return frame
    }

    private func send(_ frame: Frame) {
        let size = UInt32(frame.payload.count)
        let head = [UInt8(size >> 16), UInt8(size >> 8 & 255), UInt8(size & 255), frame.type, frame.flags]
        connection.send(head + withUnsafeBytes(of: frame.stream.bigEndian, Array.init) + frame.payload)
    }
}

private func chooseHTTP2(
    _ ssl: OpaquePointer?, _ chosen: UnsafeMutablePointer<UnsafePointer<UInt8>?>?,
    _ count: UnsafeMutablePointer<UInt8>?,
    _ offered: UnsafePointer<UInt8>?, _ offeredCount: UInt32, _ argument: UnsafeMutableRawPointer?
) -> Int32 {
    // The first protocol that the client offers, which must be "h2".
    guard let offered, offered[0] == 2, offered[1] == UInt8(ascii: "h"), offered[2] == UInt8(ascii: "2") else {
        return SSL_TLSEXT_ERR_ALERT_FATAL
    }
    chosen?.pointee = offered + 1
    count?.pointee = 2
    return SSL_TLSEXT_ERR_OK
}

// A client that takes little: a socket and the messages that have come, so that ten thousand of them fit into a test.

import CLinux
import Glibc
import PerigeeTestKit

/// One of many WebSocket clients, blocking, without TLS.
final class CrowdMember {
    private let descriptor: Int32
    private var received: [UInt8] = []

    /// Connects and shakes hands.
    init(port: UInt16) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw ClientError.system(call: "socket", code: errno) }
        var time = timeval(tv_sec: 60, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard result == 0 else { throw ClientError.system(call: "connect", code: errno) }
        try send(Array(WebSocketClient.request(path: "/", host: "127.0.0.1:\(port)", headers: []).utf8))
        while received.suffix(4) != [13, 10, 13, 10] { try receive() }
        guard received.starts(with: Array("HTTP/1.1 101 ".utf8)) else {
            throw ClientError.unexpected(String(decoding: received, as: UTF8.self))
        }
        received = []
    }

    deinit { close(descriptor) }

    /// Sends a text message of less than 126 bytes.
    func say(_ text: String) throws {
        try send(ClientFrame.text(text).bytes)
    }

    /// The next message; anything but a short text message is an error, a close frame above all.
    func hear() throws -> String {
        while true {
            if received.count >= 2 {
                let length = Int(received[1])
                guard received[0] == 0x81, length < 126 else {
                    throw ClientError.unexpected("a frame that begins with \(received.prefix(40))")
                }
                if received.count >= 2 + length {
                    defer { received.removeFirst(2 + length) }
                    return String(decoding: received[2..<2 + length], as: UTF8.self)
                }
            }
            try receive()
        }
    }

    /// Whether nothing has come that was not heard.
    var isQuiet: Bool {
        var byte: UInt8 = 0
        return received.isEmpty && recv(descriptor, &byte, 1, Int32(MSG_DONTWAIT)) < 0 && errno == EAGAIN
    }

    private func send(_ bytes: [UInt8]) throws {
        guard clinux_send(descriptor, bytes, bytes.count) == bytes.count else {
            throw ClientError.system(call: "send", code: errno)
        }
    }

    private func receive() throws {
        var buffer = [UInt8](repeating: 0, count: 512)
        let count = recv(descriptor, &buffer, buffer.count, 0)
        guard count > 0 else { throw ClientError.system(call: "recv", code: count == 0 ? 0 : errno) }
        received += buffer.prefix(count)
    }
}

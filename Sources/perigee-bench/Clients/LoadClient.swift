// One client of the load: the handshake, then messages, which it reports to its load batch by batch.
//
// Read next: ../Scenarios/Load.swift.

import CLinux
import EventLoop
import Glibc
import WebSocket

/// A WebSocket client that counts the messages it receives.
final class LoadClient: Socket {
    /// The time at which it began to connect, in nanoseconds.
    let startedAt = clinux_monotonic_nanoseconds()
    private unowned let load: Load
    private var reader = MessageReader()
    /// The part of the server's handshake response that has arrived; nil once all of it is read.
    private var answer: [UInt8]? = []
    /// Whether the load closed it.
    private(set) var isLeaving = false

    var isOpen: Bool { answer == nil }

    init(_ load: Load) throws(BenchError) {
        self.load = load
        let address = load.server.clients
        super.init(descriptor: try Dial.connect(to: address), peer: address, on: load.loop)
        load.request.withUnsafeBytes { write($0) }
    }

    /// Closes at the end of the turn, with a reset.
    func leave() {
        isLeaving = true
        abort()
    }

    /// Sends the message `times` times, each stamped with the current time.
    func send(_ message: OutgoingMessage, times: Int) {
        let now = clinux_monotonic_nanoseconds()
        for _ in 0..<times {
            write(count: message.count) { message.write(stamp: now, to: $0) }
        }
    }

    override func received(_ bytes: UnsafeMutableRawBufferPointer) {
        if isOpen { return read(UnsafeRawBufferPointer(bytes)) }
        answer?.append(contentsOf: bytes)
        guard let answer, let end = answer.withUnsafeBytes({ $0.place(of: "\r\n\r\n") }) else { return }
        guard answer.starts(with: "HTTP/1.1 101 ".utf8) else {
            let line = String(decoding: answer.prefix { $0 != 0x0D }, as: UTF8.self)
            return load.fail("the server answered the handshake with \"\(line)\"")
        }
        self.answer = nil
        load.clientOpened(self)
        Array(answer[(end + 4)...]).withUnsafeBytes { read($0) }
    }

    private func read(_ bytes: UnsafeRawBufferPointer) {
        let now = clinux_monotonic_nanoseconds()
        var messages = 0
        reader.read(bytes) { opcode, payload in
            switch opcode & ~MessageReader.compressed {
            case MessageReader.Opcode.text, MessageReader.Opcode.binary:
                let message = opcode & MessageReader.compressed == 0 ? payload : load.inflate(payload)
                guard let stamp = MessageStamp.read(message) else { return }
                load.note(latency: now - stamp)
                messages += 1
            case MessageReader.Opcode.ping:
                pong(payload)
            default:
                break
            }
        }
        if messages > 0 { load.clientReceived(self, messages) }
    }

    private func pong(_ payload: UnsafeRawBufferPointer) {
        let size = FrameHeader.maskedSize(payload: payload.count)
        write(count: size + payload.count) { address in
            // A key of zeroes leaves the payload as it is.
            FrameHeader.writeMasked(opcode: .pong, payload: payload.count, key: 0, to: address)
            if let source = payload.baseAddress { (address + size).copyMemory(from: source, byteCount: payload.count) }
        }
    }

    override func didClose() { load.clientClosed(self) }
}

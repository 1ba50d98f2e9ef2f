// A socket that notes what happens to it, and does what a test tells it to do then.

import EventLoop
import Glibc

final class RecordingSocket: Socket {
    enum Event: Equatable {
        case bytes([UInt8])
        case end
        case drained
        case deadline
        case secured
        case failed(String)
        case closed
    }

    private(set) var events: [Event] = []
    /// The other end, which is to stay open as long as the socket lives, unless the test hangs it up.
    var otherEnd: Peer?
    /// What the socket does, beyond noting the event, when it happens.
    var react: (RecordingSocket, Event) -> Void = { _, _ in }

    /// What the socket does when its peer takes nothing; hangs up where this is nil.
    var stalled: (() -> Void)?

    private(set) var hasSpentAllowance = false

    private func note(_ event: Event) {
        events.append(event)
        react(self, event)
    }

    /// How many of the bytes that arrive first are a preamble, where one is expected.
    var preambleSize = 0

    override func receivedPreamble(_ bytes: UnsafeRawBufferPointer) -> Int? { preambleSize }
    override func received(_ bytes: UnsafeMutableRawBufferPointer) { note(.bytes(Array(bytes))) }
    override func receivedEnd() { note(.end) }
    override func drained() { note(.drained) }
    override func deadlineReached() { note(.deadline) }
    override func secured() { note(.secured) }
    override func handshakeFailed(_ reason: String) { note(.failed(reason)) }
    override func writeStalled() { if let stalled { stalled() } else { super.writeStalled() } }
    override func endAllowanceSpent() { hasSpentAllowance = true }
    /// Whether it has something to do before it closes.
    var putsOffClosing = false

    override func mayClose() -> Bool { !putsOffClosing }
    override var readsToTheEnd: Bool { true }
    override func didClose() { note(.closed) }

    /// All bytes received so far, whatever the pieces in which they came.
    var receivedBytes: [UInt8] {
        events.flatMap { (event) -> [UInt8] in
            if case .bytes(let bytes) = event { return bytes }
            return []
        }
    }

    func write(_ bytes: [UInt8]) { bytes.withUnsafeBytes { write($0) } }

    func writeThrough(_ head: [UInt8], _ body: [UInt8]) {
        head.withUnsafeBytes { head in
            body.withUnsafeBytes { writeThrough(head, $0) }
        }
    }

    func write(shared piece: SharedBytes) { write(shared: piece.bytes, owner: piece) }
}

// A socket that records its callbacks and runs a test's actions in them.

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
    /// The other end, which stays open as long as the socket lives, unless the test closes it.
    var otherEnd: Peer?
    /// The action of each callback, besides recording it.
    var react: (RecordingSocket, Event) -> Void = { _, _ in }

    /// The action when the peer takes nothing; nil: the socket hangs up.
    var stalled: (() -> Void)?

    private(set) var hasSpentAllowance = false

    private func note(_ event: Event) {
        events.append(event)
        react(self, event)
    }

    /// The number of first bytes that are a preamble, if one is expected.
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
    /// Whether the socket has something to do before it closes.
    var putsOffClosing = false

    override func mayClose() -> Bool { !putsOffClosing }
    override var readsToTheEnd: Bool { true }
    override func didClose() { note(.closed) }

    /// All bytes received so far, joined.
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
